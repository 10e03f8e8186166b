use super::*;

fn arguments(command: &[&str]) -> String {
    let joined = command.join("\0");
    String::from_utf8(Redactor::default().arguments(joined.as_bytes())).unwrap().replace('\0', " ")
}

fn line(text: &str) -> String {
    String::from_utf8(Redactor::default().lines(text.as_bytes())).unwrap()
}

#[test]
fn values_of_secret_options_are_replaced() {
    assert_eq!(arguments(&["x", "--password", "hunter2", "-v"]), "x --password [redacted-1] -v");
    assert_eq!(arguments(&["x", "--db-password=two words"]), "x --db-password=[redacted-1]");
    assert_eq!(arguments(&["env", "MYSQL_ROOT_PASSWORD=a,b"]), "env MYSQL_ROOT_PASSWORD=[redacted-1]");
    assert_eq!(arguments(&["x", "--env=API_TOKEN=abc"]), "x --env=API_TOKEN=[redacted-1]");
    assert_eq!(
        arguments(&["java", "-Ddb.password=x", "-jar", "a"]),
        "java -Ddb.password=[redacted-1] -jar a"
    );
    assert_eq!(arguments(&["mysql", "-uroot", "-phunter2", "db"]), "mysql -uroot -p[redacted-1] db");
    assert_eq!(arguments(&["sshpass", "-p", "x y", "ssh"]), "sshpass -p [redacted-1] ssh");
    assert_eq!(arguments(&["redis-cli", "-a", "pw"]), "redis-cli -a [redacted-1]");
    assert_eq!(arguments(&["curl", "-u", "bob:hunter2", "u"]), "curl -u bob:[redacted-1] u");
}

#[test]
fn secrets_inside_a_shell_command_and_in_json() {
    assert_eq!(
        arguments(&["sh", "-c", "run --token abc123; mysql -pxyz -h db"]),
        "sh -c run --token [redacted-1]; mysql -p[redacted-2] -h db"
    );
    assert_eq!(
        line("cmd=mysqldump -pabc db && redis-cli -a xyz\n"),
        "cmd=mysqldump -p[redacted-1] db && redis-cli -a [redacted-2]\n"
    );
    assert_eq!(
        arguments(&["curl", "-H", "Authorization: Bearer abc.def", "-d", r#"{"password": "x y","a":1}"#]),
        r#"curl -H Authorization: Bearer [redacted-1] -d {"password": "[redacted-2]","a":1}"#
    );
    assert_eq!(line("PRIVATE-TOKEN: abc def\n"), "PRIVATE-TOKEN: [redacted-1] def\n");
}

#[test]
fn urls_lose_their_password_only() {
    assert_eq!(
        line("to https://bob:pw@host:80/x?token=q&a=1\n"),
        "to https://bob:[redacted-1]@host:80/x?token=[redacted-2]&a=1\n"
    );
    assert_eq!(line("ssh://git@github.com/x"), "ssh://git@github.com/x");
    assert_eq!(line("https://0123456789abcdef0123@github.com"), "https://[redacted-1]@github.com");
    let table = b"1 2 0:3 / /m rw - fuse.davfs https://u:pw@h/ rw\n".to_vec();
    let table = Redactor::default().urls(&table).into_owned();
    assert_eq!(table, b"1 2 0:3 / /m rw - fuse.davfs https://u:[redacted-1]@h/ rw\n");
}

#[test]
fn equal_secrets_have_equal_marks() {
    let text = arguments(&["x", "--token=abc", "--password", "other", "--api-key", "abc"]);
    assert_eq!(text, "x --token=[redacted-1] --password [redacted-2] --api-key [redacted-1]");
}

#[test]
fn what_the_analysis_needs_stays() {
    let id = "ac05e1b8a2f14d4c9e7b6a5d4c3b2a1908f7e6d5c4b3a29181716151413121110";
    for kept in [
        ["docker", "rm", id],
        ["run", "--user", "1000:1000"],
        ["x", "--tls-key", "/etc/key.pem"],
        ["x", "--password-file", "/run/secret"],
        ["x", "-p", "8080:80"],
        ["mount", "-o", "ro,user=root"],
        ["x", "--keyring", "none"],
        ["env", "PWD=/srv", "x"],
    ] {
        assert_eq!(arguments(&kept), kept.join(" "));
    }
    let error = format!(
        "level=error msg=\"Driver devicemapper failed to remove root filesystem {id}: Device is Busy\"\n"
    );
    assert_eq!(line(&error), error);
}

#[test]
fn an_option_without_a_value_does_not_swallow_the_next() {
    assert_eq!(arguments(&["mysql", "--password", "--host", "h"]), "mysql --password --host h");
    assert_eq!(arguments(&["x", "--auth"]), "x --auth");
}

/// Twenty shapes, five secrets each: none may be left.
#[test]
fn a_hundred_planted_secrets_are_gone() {
    let shapes: [fn(&str) -> Vec<String>; 20] = [
        |s| vec!["x".into(), format!("--password={s}")],
        |s| vec!["x".into(), "--token".into(), s.into()],
        |s| vec!["x".into(), format!("SECRET_KEY={s}")],
        |s| vec!["x".into(), "-e".into(), format!("DB_PASSWD={s}")],
        |s| vec!["x".into(), format!("postgres://u:{s}@db/x")],
        |s| vec!["curl".into(), "-u".into(), format!("bob:{s}")],
        |s| vec!["curl".into(), "-H".into(), format!("Authorization: Bearer {s}")],
        |s| vec!["curl".into(), "-H".into(), format!("X-Api-Key: {s}")],
        |s| vec!["mysqldump".into(), format!("-p{s}")],
        |s| vec!["sshpass".into(), "-p".into(), s.into()],
        |s| vec!["docker".into(), "login".into(), "-p".into(), s.into()],
        |s| vec!["x".into(), format!(r#"{{"client_secret":"{s}"}}"#)],
        |s| vec!["mount".into(), "-o".into(), format!("username=u,password={s}")],
        |s| vec!["x".into(), format!("https://h/?sig={s}&x=1")],
        |s| vec!["x".into(), format!("ghp_{s}{s}")],
        |s| vec!["x".into(), format!("AKIA{}", &format!("{s}{s}").to_uppercase()[..16])],
        |s| vec!["x".into(), format!("eyJhbGciOiJIUzI1NiJ9.{s}.{s}")],
        |s| vec!["sh".into(), "-c".into(), format!("a && PGPASSWORD='{s}' psql")],
        |s| vec!["x".into(), format!("SWMTKN-1-{s}{s}-{s}")],
        |s| vec!["x".into(), format!("-----BEGIN RSA PRIVATE KEY-----\n{s}\n-----END RSA PRIVATE KEY-----")],
    ];
    for (number, shape) in shapes.iter().enumerate() {
        for n in 0..5 {
            let secret = format!("q{n}zw{number:02}kjxv7");
            let command = shape(&secret);
            let words: Vec<&str> = command.iter().map(String::as_str).collect();
            let left = arguments(&words);
            let upper = secret.to_uppercase();
            assert!(!left.contains(&secret) && !left.contains(&upper), "shape {number} left it in: {left}");
        }
    }
}
