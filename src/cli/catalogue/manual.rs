//! What stands in a page of the manual and not in the help, in every language.

use crate::cli::language::Language;

/// The headings that are ours.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Heading {
    /// Before the examples.
    Examples,
    /// Before the exit codes.
    ExitStatus,
    /// Before the variables.
    Environment,
    /// Before the other pages.
    SeeAlso,
}

/// The texts of the manual in one language.
#[derive(Debug)]
pub(crate) struct Manual {
    headings: [&'static str; 4],
    /// What the library writes, and what stands there instead.
    others: &'static [(&'static str, &'static str)],
    /// Exit codes and what they mean.
    pub(crate) exit_codes: &'static [(&'static str, &'static str)],
    /// Variables of the environment and what they do.
    pub(crate) variables: &'static [(&'static str, &'static str)],
}

impl Manual {
    /// A heading of ours.
    pub(crate) fn heading(&self, heading: Heading) -> &'static str {
        self.headings[heading as usize]
    }

    /// A heading of the library's.
    pub(crate) fn translated<'a>(&self, heading: &'a str) -> &'a str {
        let bare = heading.trim_matches('"');
        let found = self.others.iter().find(|(theirs, _)| *theirs == bare);
        found.map_or(bare, |(_, ours)| *ours)
    }
}

/// The texts of the manual.
pub(crate) fn manual(language: Language) -> &'static Manual {
    match language {
        Language::English => &ENGLISH,
        Language::Spanish => &SPANISH,
    }
}

static ENGLISH: Manual = Manual {
    headings: ["EXAMPLES", "EXIT STATUS", "ENVIRONMENT", "SEE ALSO"],
    others: &[("SUBCOMMANDS", "COMMANDS")],
    exit_codes: &[
        ("0", "Success; a server that was asked to stop; a reader of the output that went away."),
        ("1", "The network: refused, unreachable, in use, lost."),
        ("2", "Usage: the command line, a file or the input is not what it should be."),
        ("3", "An HTTP server refused."),
        ("4", "The peer closed abnormally, or with a code of its application."),
        ("5", "Nothing came in time."),
        ("6", "What was expected did not come."),
        ("129, 130, 143", "A client was stopped by SIGHUP, SIGINT or SIGTERM."),
    ],
    variables: &[
        (
            "ENCHUFE_LANG, LC_ALL, LC_MESSAGES, LANG",
            "The language of messages, if --lang is not given.",
        ),
        ("ENCHUFE_LOG", "What is logged, if --log is not given."),
        ("NO_COLOR, CLICOLOR, CLICOLOR_FORCE", "Whether errors have colours."),
    ],
};

static SPANISH: Manual = Manual {
    headings: ["EJEMPLOS", "CÓDIGOS DE SALIDA", "ENTORNO", "VÉASE TAMBIÉN"],
    others: &[
        ("NAME", "NOMBRE"),
        ("SYNOPSIS", "SINOPSIS"),
        ("DESCRIPTION", "DESCRIPCIÓN"),
        ("OPTIONS", "OPCIONES"),
        ("SUBCOMMANDS", "ÓRDENES"),
    ],
    exit_codes: &[
        ("0", "Éxito; un servidor al que se pidió parar; nadie lee ya la salida."),
        ("1", "La red: rechazo, sin camino, dirección en uso, conexión perdida."),
        ("2", "Uso: la línea de órdenes, un archivo o la entrada no son como deben."),
        ("3", "Un servidor HTTP se negó."),
        ("4", "El otro extremo cerró de forma anormal o con un código de su aplicación."),
        ("5", "No llegó nada a tiempo."),
        ("6", "No llegó lo que se esperaba."),
        ("129, 130, 143", "SIGHUP, SIGINT o SIGTERM detuvo a un cliente."),
    ],
    variables: &[
        (
            "ENCHUFE_LANG, LC_ALL, LC_MESSAGES, LANG",
            "El idioma de los mensajes, si no se da --lang.",
        ),
        ("ENCHUFE_LOG", "Qué se registra, si no se da --log."),
        ("NO_COLOR, CLICOLOR, CLICOLOR_FORCE", "Si los errores llevan colores."),
    ],
};
