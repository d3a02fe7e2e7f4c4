//! `[[listen]]`: where a server listens, and what holds there.

use std::path::PathBuf;

use super::{
    Cause, Given, Key, Problem, Section,
    document::Table,
    settings::{Origin, Settings},
    values::{self, Expected},
};
use crate::{address::HttpAddress, guard::AllowedOrigin};

/// A place where a server listens.
#[derive(Debug, Clone)]
pub struct Listen {
    /// The address as it was said.
    pub text: String,
    /// Where.
    pub address: HttpAddress,
    /// With which certificate, for https.
    pub certificate: Option<Certificate>,
    /// Origins whose pages may do everything.
    pub allow_origin: Vec<AllowedOrigin>,
    /// Names that a loopback listener answers to besides its own.
    pub host_name: Vec<String>,
}

/// Where a certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// From files.
    Files {
        /// The certificate, and those that lead to its issuer.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// One for development, which is made.
    Development,
}

/// What a server listens on when nobody says anything.
const DEFAULT: &str = "http://127.0.0.1:5678";

/// The listeners of the file, or those of flags and the environment instead.
pub(super) fn read(
    tables: Option<Vec<Table<'_>>>,
    settings: &mut Settings<'_>,
) -> Option<Vec<Listen>> {
    let of_file = tables.filter(|tables| !tables.is_empty());
    let outside = settings.outside(Key::Address);
    let mut listeners = Vec::new();
    if let Some((Given { texts, .. }, origin)) = outside {
        // Those of the file are read all the same: what is wrong there is wrong.
        for (index, table) in of_file.into_iter().flatten().enumerate() {
            settings.of = Some(index.to_string());
            let shown = settings.shown.len();
            one(table, None, settings);
            settings.shown.truncate(shown);
        }
        for (index, text) in texts.iter().enumerate() {
            settings.of = Some(index.to_string());
            listeners.push(one(Table::default(), Some((text, origin)), settings));
        }
    } else if let Some(tables) = of_file {
        for (index, table) in tables.into_iter().enumerate() {
            settings.of = Some(index.to_string());
            listeners.push(one(table, None, settings));
        }
    } else {
        settings.of = Some("0".to_owned());
        listeners.push(one(Table::default(), Some((DEFAULT, Origin::Default)), settings));
    }
    settings.of = None;
    listeners.into_iter().collect()
}

fn one(
    mut table: Table<'_>,
    outside: Option<(&str, Origin)>,
    settings: &mut Settings<'_>,
) -> Option<Listen> {
    let parse = |text: &str| {
        let address = HttpAddress::parse_listen(text).map_err(Expected::Address)?;
        Ok((text.to_owned(), address))
    };
    let (place, had_place) = (table.place.clone(), table.place.is_some());
    let address = match outside {
        Some((text, origin)) => settings.pick_from(Key::Address, text, origin, parse),
        None => {
            let is_missing = had_place && !table.has(Key::Address.name());
            let found = settings.pick_in_file(&mut table, Key::Address, parse);
            if is_missing {
                let cause = Cause::Missing { key: Key::Address, with: Section::Listen.heading() };
                settings.problems.push(Problem { place: place.clone(), cause });
            }
            found
        }
    };
    let tls = [Key::TlsCert, Key::TlsKey, Key::TlsDev].map(|key| table.has(key.name()));
    let certificate = settings.pick_path(&mut table, Key::TlsCert);
    let key = settings.pick_path(&mut table, Key::TlsKey);
    let is_development = settings.pick(&mut table, Key::TlsDev, values::flag).unwrap_or(false);
    let said = [
        (certificate.is_some() && tls[0], Key::TlsCert),
        (key.is_some() && tls[1], Key::TlsKey),
        (is_development && tls[2], Key::TlsDev),
    ];
    let allow_origin = settings.pick_all(&mut table, Key::AllowOrigin, |text| {
        text.parse::<AllowedOrigin>().map_err(|_| Expected::Origin)
    });
    let host_name = settings.pick_all(&mut table, Key::HostName, values::text);
    table.finish(&mut settings.problems);

    let (text, address) = address?;
    let mut complain = |cause| settings.problems.push(Problem { place: place.clone(), cause });
    let certificate = match (certificate, key) {
        // Flags and variables say it for those listeners that need one.
        _ if !address.is_secure => {
            if let Some((_, key)) = said.into_iter().find(|(is_said, _)| *is_said) {
                complain(Cause::Misplaced { key, with: text.clone() });
            }
            None
        }
        (Some(_), _) | (_, Some(_)) if is_development => {
            let with = Key::TlsDev.name().to_owned();
            complain(Cause::Misplaced { key: Key::TlsCert, with });
            None
        }
        (Some(certificate), Some(key)) => Some(Certificate::Files { certificate, key }),
        (Some(_), None) => {
            complain(Cause::Missing { key: Key::TlsKey, with: Key::TlsCert.name() });
            None
        }
        (None, Some(_)) => {
            complain(Cause::Missing { key: Key::TlsCert, with: Key::TlsKey.name() });
            None
        }
        (None, None) if is_development => Some(Certificate::Development),
        (None, None) if address.is_secure => {
            complain(Cause::NoCertificate(text.clone()));
            None
        }
        (None, None) => None,
    };
    Some(Listen {
        text,
        address,
        certificate,
        allow_origin: allow_origin.unwrap_or_default(),
        host_name: host_name.unwrap_or_default(),
    })
}
