//! "Busy" as terminals say it in other languages. Runtimes log in English; what people paste from a terminal is in
//! the host's: glibc's text of `EBUSY` and umount's "target is busy".

use super::proof::Proof;

/// The part of each text that no other has, in lower case as far as it is ASCII.
pub(crate) const WORDINGS: &[(&str, Proof)] = &[
    // glibc, `strerror(EBUSY)`: German, French, Spanish and Galician, Portuguese twice, Italian, Dutch, Polish, Czech,
    // Swedish, Russian, Ukrainian, Turkish, Chinese twice, Japanese, Korean.
    ("ressource ist belegt", Proof::Errno),
    ("ressource occup", Proof::Errno),
    ("recurso ocupado", Proof::Errno),
    ("recurso está ocupado", Proof::Errno),
    ("risorsa occupata", Proof::Errno),
    ("hulpbron is bezig", Proof::Errno),
    ("zasoby zajęte", Proof::Errno),
    ("zdroj jsou používány", Proof::Errno),
    ("resurs upptagen", Proof::Errno),
    ("ресурс занято", Proof::Errno),
    ("ресурс зайнято", Proof::Errno),
    ("özkaynak meşgul", Proof::Errno),
    ("设备或资源忙", Proof::Errno),
    ("裝置或系統資源忙碌中", Proof::Errno),
    ("リソースがビジー状態です", Proof::Errno),
    ("장치나 자원이 동작 중", Proof::Errno),
    // util-linux, `umount`: German, French, Spanish, Portuguese, Polish, Czech, Ukrainian, Chinese, Japanese.
    ("ziel wird gerade benutzt", Proof::Storage),
    ("la cible est active", Proof::Storage),
    ("destino está ocupado", Proof::Storage),
    ("alvo está ocupado", Proof::Storage),
    ("cel jest zajęty", Proof::Storage),
    ("cíl se používá", Proof::Storage),
    ("призначення зайнято", Proof::Storage),
    ("目标忙", Proof::Storage),
    ("対象は使用中です", Proof::Storage),
];

/// Of a longer log only the English wordings are searched for: nobody copies so much from a terminal.
pub(crate) const LONGEST: usize = 1 << 20;

/// What is searched for in a text: a wording may begin with a capital, so its beginning is left out.
pub(crate) fn stems() -> impl Iterator<Item = &'static [u8]> {
    WORDINGS.iter().map(|(phrase, _)| match phrase.char_indices().nth(1) {
        Some((second, _)) => &phrase.as_bytes()[second..],
        None => phrase.as_bytes(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::scan;
    use super::*;

    #[test]
    fn every_language_is_understood_from_a_terminal() {
        for (phrase, _) in WORDINGS {
            for line in [format!("umount: /srv/a: {phrase}."), format!("rm: '/srv/a': X {phrase}")] {
                let found = scan(line.as_bytes());
                assert_eq!(found.first().and_then(|e| e.path.as_deref()), Some("/srv/a"), "{line}");
            }
        }
        let german =
            "rm: das Entfernen von '/srv/a' ist nicht möglich: Das Gerät oder die Ressource ist belegt";
        assert_eq!(scan(german.as_bytes()).len(), 1);
        assert_eq!(scan("umount: /srv/a: das Ziel wird gerade benutzt.".as_bytes()).len(), 1);
        assert!(scan("die Ressource ist belegt, bitte warten".as_bytes()).is_empty());
    }
}
