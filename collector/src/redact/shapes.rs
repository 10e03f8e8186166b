//! What a secret looks like: names of options that take one, and tokens that give themselves away.

/// Parts of a name that make its value a secret. Compared in lower case, without `-`, `_` and `.`.
const SECRET_PARTS: [&str; 17] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "apikey",
    "accesskey",
    "privatekey",
    "accountkey",
    "sharedkey",
    "encryptionkey",
    "signingkey",
    "masterkey",
    "credential",
    "authorization",
    "connectionstring",
    "authtoken",
    "jointoken",
];
/// Last words of a name that make its value a secret.
const SECRET_WORDS: [&str; 15] = [
    "pass", "pwd", "pw", "token", "auth", "key", "psk", "pat", "pin", "otp", "jwt", "sig", "cookie", "dsn",
    "salt",
];
/// Last words of a name that tell of a place, a name or a number instead.
const HARMLESS_WORDS: [&str; 19] = [
    "file", "files", "path", "dir", "name", "type", "env", "command", "cmd", "provider", "store", "ttl",
    "expiry", "timeout", "length", "policy", "enabled", "version", "url",
];
/// Starts of well-known tokens, and how long the whole is at least.
const TOKEN_STARTS: [(&str, usize); 38] = [
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 30),
    ("glpat-", 20),
    ("gldt-", 20),
    ("glrt-", 20),
    ("xoxa-", 15),
    ("xoxb-", 15),
    ("xoxp-", 15),
    ("xoxr-", 15),
    ("xoxs-", 15),
    ("xapp-", 15),
    ("sk_live_", 16),
    ("sk_test_", 16),
    ("rk_live_", 16),
    ("rk_test_", 16),
    ("whsec_", 16),
    ("sk-", 24),
    ("AIza", 35),
    ("ya29.", 20),
    ("SG.", 30),
    ("npm_", 30),
    ("pypi-", 40),
    ("dckr_pat_", 20),
    ("hvs.", 20),
    ("hvb.", 20),
    ("hf_", 30),
    ("shpat_", 30),
    ("dop_v1_", 40),
    ("doo_v1_", 40),
    ("SWMTKN-", 30),
    ("SWMKEY-", 30),
    ("AGE-SECRET-KEY-", 40),
    ("PMAK-", 40),
    ("glsa_", 30),
];

/// Whether an option, variable or key of this name has a secret as its value.
pub(super) fn is_secret_name(name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else { return false };
    let name = name.trim_start_matches('-').to_ascii_lowercase();
    let last = name.rsplit(['-', '_', '.']).next().unwrap_or_default();
    if HARMLESS_WORDS.contains(&last) {
        return false;
    }
    let joined: String = name.chars().filter(|c| !matches!(c, '-' | '_' | '.')).collect();
    SECRET_WORDS.contains(&last)
        || joined.ends_with("token")
        || SECRET_PARTS.iter().any(|part| joined.contains(part))
}

/// Whether the value of such a name is often the path of a key file, or a directory (`PWD`).
pub(super) fn may_be_path(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(b"key") || name.ends_with(b"pwd")
}

/// Whether the text is a secret of a well-known shape. Ids in hexadecimal never are.
pub(super) fn is_secret_shape(token: &[u8]) -> bool {
    let Ok(token) = std::str::from_utf8(token) else { return false };
    TOKEN_STARTS.iter().any(|(start, length)| token.starts_with(start) && token.len() >= *length)
        || is_aws_key_id(token)
        || is_json_web_token(token)
        || is_bootstrap_token(token)
}

fn is_aws_key_id(token: &str) -> bool {
    token.len() == 20
        && (token.starts_with("AKIA") || token.starts_with("ASIA"))
        && token.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// Three parts in base64, the first of which is a JSON object: `{"` is `eyJ`.
fn is_json_web_token(token: &str) -> bool {
    token.starts_with("eyJ") && token.len() >= 30 && token.matches('.').count() >= 1
}

/// kubeadm's `abcdef.0123456789abcdef`.
fn is_bootstrap_token(token: &str) -> bool {
    let lower = |s: &str| s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    token.split_once('.').is_some_and(|(id, secret)| {
        let digits = secret.bytes().any(|b| b.is_ascii_digit());
        id.len() == 6 && secret.len() == 16 && lower(id) && lower(secret) && digits
    })
}

/// Programs that a command line names and that take a secret as a short option.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ShortOptions {
    /// `mysql -pSECRET`; `-p` alone asks for it.
    mysql: bool,
    /// `sshpass -p SECRET` and `-pSECRET`; `docker login -p SECRET`.
    password_p: bool,
    /// `redis-cli -a SECRET`.
    redis: bool,
    /// `ldapsearch -w SECRET`.
    ldap: bool,
}

impl ShortOptions {
    /// Those of all programs that stand anywhere in a command line or a line of text.
    pub(super) fn of(command: &[u8]) -> Self {
        let mut programs = Self::default();
        let is_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        for name in command.split(|b| !is_name(b)) {
            programs.mysql |= name.starts_with(b"mysql") || name.starts_with(b"mariadb");
            programs.password_p |= name == b"sshpass" || name == b"login";
            programs.redis |= name == b"redis-cli";
            programs.ldap |= name == b"ldapsearch" || name == b"ldapmodify";
        }
        programs
    }

    /// Where the secret starts in an option with its value attached.
    pub(super) fn attached(self, token: &[u8]) -> Option<usize> {
        let letter = (self.mysql || self.password_p) && token.starts_with(b"-p");
        (letter && token.len() > 2).then_some(2)
    }

    /// Whether the secret is the next word.
    pub(super) fn announces(self, token: &[u8]) -> bool {
        (self.password_p && token == b"-p") || (self.redis && token == b"-a") || (self.ldap && token == b"-w")
    }
}
