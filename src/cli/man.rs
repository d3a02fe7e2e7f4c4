//! `enchufe man`: the pages of the manual, from the same source as the help.
//!
//! man(7) has its own order: what clap_mangen writes is put together with the examples, the exit
//! codes and the variables here.

use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};

use super::{
    args,
    catalogue::{Heading, Manual, manual},
    command,
    exit_code::Exit,
    failure::Failure,
    language::Language,
    output::{self, OutputError},
    usage::{Usage, UsageError},
};

/// What roff's library puts before each of its texts.
const PREAMBLE: [&str; 2] = [".ie \\n(.g", ".el .ds Aq"];

/// Writes a page to standard output.
pub(super) fn run(args: &args::Man, language: Language) -> Result<Exit, Failure> {
    let text = page(args.command.as_deref(), language)?;
    output::data(text.as_bytes()).map(|()| Exit::Success).or_else(OutputError::into_result)
}

fn page(name: Option<&str>, language: Language) -> Result<String, Failure> {
    let mut root = command(language);
    root.build();
    let mut about = match name {
        None => root.clone(),
        Some(name) => {
            let found = root.find_subcommand(name).cloned();
            found.ok_or_else(|| no_command(name, &root))?
        }
    };
    let manual = manual(language);
    let examples = about.get_before_help().map(ToString::to_string).unwrap_or_default();
    let pages = root.get_subcommands().filter(|command| !command.is_hide_set());
    let pages = pages.filter(|command| Some(command.get_name()) != name);
    let others: Vec<String> = (name.map(|_| "enchufe".to_owned()).into_iter())
        .chain(pages.map(|command| format!("enchufe-{}", command.get_name())))
        .collect();

    // Without it every flag would stand there: they follow soon enough.
    let usage = about.render_usage().to_string();
    let short = about.clone().override_usage(usage.trim_start_matches("Usage: ").to_owned());
    let page = Man::new(short)
        .title(about.get_display_name().unwrap_or("enchufe"))
        .source(concat!("enchufe ", env!("CARGO_PKG_VERSION")));
    let mut out = Vec::new();
    let written = (|| {
        page.render_title(&mut out)?;
        page.render_name_section(&mut out)?;
        page.render_synopsis_section(&mut out)?;
        page.render_description_section(&mut out)?;
        indented(manual.heading(Heading::Examples), &examples).to_writer(&mut out)?;
        page.render_options_section(&mut out)?;
        if about.has_subcommands() {
            page.render_subcommands_section(&mut out)?;
        }
        table(manual.heading(Heading::ExitStatus), manual.exit_codes).to_writer(&mut out)?;
        table(manual.heading(Heading::Environment), manual.variables).to_writer(&mut out)?;
        see_also(manual.heading(Heading::SeeAlso), &others).to_writer(&mut out)
    })();
    written.map_err(Failure::Output)?;
    Ok(finished(&String::from_utf8_lossy(&out), manual))
}

fn no_command(name: &str, root: &clap::Command) -> Failure {
    let known = root.get_subcommands().map(clap::Command::get_name);
    let near = known.min_by_key(|known| strsim::osa_distance(known, name));
    let similar = near.filter(|near| strsim::osa_distance(near, name) < near.len() / 2 + 1);
    let similar = similar.map(str::to_owned);
    let error = UsageError::UnknownCommand { name: name.to_owned(), similar };
    Failure::Usage(Usage { error, command: "enchufe".into() })
}

/// One preamble is enough, and the headings are in the reader's language.
fn finished(text: &str, manual: &Manual) -> String {
    let mut page = String::new();
    for (number, line) in text.lines().enumerate() {
        let is_preamble = PREAMBLE.iter().any(|begin| line.starts_with(begin));
        if is_preamble && number >= PREAMBLE.len() {
            continue;
        }
        match line.strip_prefix(".SH ") {
            Some(heading) => page.push_str(&format!(".SH \"{}\"", manual.translated(heading))),
            None => page.push_str(line),
        }
        page.push('\n');
    }
    page
}

/// The examples of the help, without the line that says that they are examples.
fn indented(heading: &str, examples: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [heading]);
    for example in examples.lines().skip(1) {
        roff.control("PP", []);
        roff.control("RS", ["4"]);
        roff.control("nf", []);
        roff.text([roman(example.trim_start())]);
        roff.control("fi", []);
        roff.control("RE", []);
    }
    roff
}

fn table(heading: &str, rows: &[(&str, &str)]) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [heading]);
    for (name, meaning) in rows {
        roff.control("TP", []);
        roff.text([bold(*name)]);
        roff.text([roman(*meaning)]);
    }
    roff
}

fn see_also(heading: &str, pages: &[String]) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [heading]);
    let mut line = Vec::new();
    for (number, page) in pages.iter().enumerate() {
        let end = if number + 1 < pages.len() { "(1), " } else { "(1)" };
        line.extend([bold(page.as_str()), roman(end)]);
    }
    roff.text(line);
    roff
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands() -> Vec<Option<String>> {
        let root = command(Language::English);
        let names = root.get_subcommands().map(|command| Some(command.get_name().to_owned()));
        [None].into_iter().chain(names).collect()
    }

    #[test]
    fn every_command_has_a_page_in_every_language_with_its_flags_and_examples() {
        for name in commands() {
            for (language, headings) in [
                (Language::English, ["NAME", "EXAMPLES", "OPTIONS", "EXIT STATUS", "SEE ALSO"]),
                (
                    Language::Spanish,
                    ["NOMBRE", "EJEMPLOS", "OPCIONES", "CÓDIGOS DE SALIDA", "VÉASE TAMBIÉN"],
                ),
            ] {
                let page = page(name.as_deref(), language).expect("a page");
                for heading in headings {
                    assert!(page.contains(&format!(".SH \"{heading}\"\n")), "{heading}:\n{page}");
                }
                assert_eq!(page.matches(PREAMBLE[0]).count(), 1, "{page}");
                assert!(page.contains("\\-\\-lang"), "{page}");
            }
        }
    }

    #[test]
    fn nothing_of_a_spanish_page_is_left_in_english() {
        for name in commands() {
            let page = page(name.as_deref(), Language::Spanish).expect("a page");
            // A command's own word is never translated.
            let ours = ["config default", "(default)", "show, default", "default\\-channel"];
            let page = ours.iter().fold(page, |page, word| page.replace(word, ""));
            for word in ["SYNOPSIS", "DESCRIPTION", "SUBCOMMANDS", "default", "possible", "Print"] {
                assert!(!page.contains(word), "'{word}' in:\n{page}");
            }
        }
    }

    #[test]
    fn a_command_that_is_not_there_is_looked_for_nearby() {
        let Err(Failure::Usage(usage)) = page(Some("conect"), Language::English) else {
            panic!("there is no such command")
        };
        let similar = Some("connect".to_owned());
        assert_eq!(usage.error, UsageError::UnknownCommand { name: "conect".into(), similar });
    }
}
