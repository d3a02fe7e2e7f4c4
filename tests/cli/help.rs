//! Help, languages, usage errors and their exit code.

use crate::harness::{enchufe, run, run_command};

#[test]
fn help_is_data_on_standard_output() {
    let help = run(&["--help"], b"");
    assert!(help.success().starts_with("Examples:\n  enchufe demo\n"), "{help:?}");
    assert_eq!(help.stderr, "");
    let help = run(&["connect", "--help"], b"");
    assert!(
        help.success().starts_with("Examples:\n  echo Ana | enchufe connect ws://"),
        "{help:?}"
    );
}

#[test]
fn no_command_shows_the_help_and_is_a_usage_error() {
    let ended = run(&[], b"");
    assert_eq!((ended.code, ended.text()), (Some(2), ""));
    assert!(ended.stderr.contains("Usage: enchufe"), "{ended:?}");
}

#[test]
fn the_flag_and_the_environment_choose_the_language() {
    let ended = run(&["--lang", "es", "--help"], b"");
    assert!(ended.success().contains("\nUso: enchufe [OPCIONES] <ORDEN>\n"), "{ended:?}");
    let mut command = enchufe(&["serve"]);
    command.env("LANG", "es_ES.UTF-8");
    let ended = run_command(command, b"");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("sugerencia: "), "{ended:?}");
}

#[test]
fn a_usage_error_is_a_line_and_a_hint() {
    for (arguments, english, spanish) in [
        (
            &["conect", "x"][..],
            "error: there is no command 'conect'\nhint: did you mean 'connect'?\n",
            "error: no existe la orden 'conect'\nsugerencia: ¿quisiste decir 'connect'?\n",
        ),
        (
            // Others are like it, too.
            &["serv", "echo"],
            "error: there is no command 'serv'\nhint: did you mean 'serve'?\n",
            "error: no existe la orden 'serv'\nsugerencia: ¿quisiste decir 'serve'?\n",
        ),
        (
            &["connect", "localhost", "65432"],
            "error: 'localhost 65432' is two words, an address is one\nhint: tcp://localhost:65432\n",
            "error: 'localhost 65432' son dos palabras, una dirección es una\n\
             sugerencia: tcp://localhost:65432\n",
        ),
        (
            &["serve", "talk", "tcp://:0"],
            "error: 'talk' is not a value of <SERVICE>\nhint: use echo, discard, greet, clock, random, exec or broadcast\n",
            "error: 'talk' no es un valor de <SERVICIO>\n\
             sugerencia: usa echo, discard, greet, clock, random, exec o broadcast\n",
        ),
        (
            &["connect", "tcp://localhost:1", "--wayt=3"],
            "error: unexpected argument '--wayt'\nhint: did you mean '--wait'?\n",
            "error: argumento inesperado: '--wayt'\nsugerencia: ¿quisiste decir '--wait'?\n",
        ),
        (
            &["connect", "tcp://localhost:1", "--framing=line"],
            "error: 'line' is not a value of --framing <FRAMING>\nhint: did you mean 'lines'?\n",
            "error: 'line' no es un valor de --framing <FORMATO>\n\
             sugerencia: ¿quisiste decir 'lines'?\n",
        ),
        (
            &["connect", "wsss://localhost:1/?token=abc"],
            "error: \"wsss://localhost:1/?token=REDACTED\" begins with an unknown scheme: \"wsss\"\n\
             hint: did you mean wss://localhost:1/?token=REDACTED?\n",
            "error: \"wsss://localhost:1/?token=REDACTED\" empieza por un esquema desconocido: \
             \"wsss\"\nsugerencia: ¿quisiste decir wss://localhost:1/?token=REDACTED?\n",
        ),
        (
            &["serve", "echo", "http://127.0.0.1:8080/"],
            "error: \"http://127.0.0.1:8080/\" is a page's address, not a socket's\n\
             hint: try ws://127.0.0.1:8080\n",
            "error: \"http://127.0.0.1:8080/\" es la dirección de una página, no de un socket\n\
             sugerencia: prueba ws://127.0.0.1:8080\n",
        ),
        (
            &["connect", "tcp://[::1:80"],
            "error: \"tcp://[::1:80\" lacks the ] after its IPv6 address\n\
             hint: try tcp://[::1]:80\n",
            "error: a \"tcp://[::1:80\" le falta el ] tras la dirección IPv6\n\
             sugerencia: prueba tcp://[::1]:80\n",
        ),
        (
            &["connect", "tcp://localhost:1", "--expect=("],
            "error: '(' is not a value of --expect <PATTERN>\n\
             hint: expected a regular expression, such as 'Hola .*!' or '^[0-9]+$'\n",
            "error: '(' no es un valor de --expect <PATRÓN>\n\
             sugerencia: se espera una expresión regular, por ejemplo 'Hola .*!' o '^[0-9]+$'\n",
        ),
        (
            &["connect", "tcp://localhost:1", "--wait=soon"],
            "error: 'soon' is not a value of --wait <TIME>\n\
             hint: expected a time such as 1, 0.5, 500ms, 30s, 5m or 1h, at most a year\n",
            "error: 'soon' no es un valor de --wait <TIEMPO>\n\
             sugerencia: se espera un tiempo como 1, 0.5, 500ms, 30s, 5m o 1h, un año como mucho\n",
        ),
    ] {
        let ended = run(arguments, b"");
        assert_eq!((ended.code, ended.text()), (Some(2), ""), "{arguments:?}");
        assert_eq!(ended.stderr, english, "{arguments:?}");
        let arguments = [&["--lang=es"], arguments].concat();
        let ended = run(&arguments, b"");
        assert_eq!((ended.code, ended.text()), (Some(2), ""), "{arguments:?}");
        assert_eq!(ended.stderr, spanish, "{arguments:?}");
    }
}

#[test]
fn a_language_that_is_not_spoken_is_refused_and_a_locale_is_english() {
    let english = "error: 'xx' is not a value of --lang <LANGUAGE>\nhint: use en or es\n";
    let spanish = "error: 'xx' no es un valor de --lang <IDIOMA>\nsugerencia: usa en o es\n";
    for (locale, said) in [("C", english), ("de_DE.UTF-8", english), ("es_ES.UTF-8", spanish)] {
        let mut command = enchufe(&["--lang", "xx", "resolve", "127.0.0.1"]);
        command.env("LANG", locale);
        let ended = run_command(command, b"");
        assert_eq!((ended.code, ended.text()), (Some(2), ""), "{locale}");
        assert_eq!(ended.stderr, said, "{locale}");
    }
    for name in ["LANG", "LC_ALL", "ENCHUFE_LANG"] {
        let mut command = enchufe(&["--help"]);
        command.env(name, "xx_XX.UTF-8");
        let ended = run_command(command, b"");
        assert!(ended.success().contains("\nUsage: enchufe"), "{ended:?}");
    }
    assert!(run(&["--lang=es_MX.UTF-8", "--help"], b"").success().contains("\nUso: enchufe"));
}

#[test]
fn what_the_system_says_has_words_and_no_number_in_each_language() {
    let nothing = ["No such file or directory\n", "no existe\n"];
    for (arguments, code, [english, spanish]) in [
        (&["connect", "file:/no/such/file"][..], 2, nothing),
        (&["connect", "wss://127.0.0.1:1", "--ca=/no/such/file"], 2, nothing),
        (&["connect", "tcp://127.0.0.1:1", "--replay=/no/such/file"], 2, nothing),
        (&["feed", "clock", "--page=/no/such/file"], 2, nothing),
        (&["relay", "127.0.0.1:0", "-", "--record=/no/such/file"], 2, nothing),
        (
            &["connect", "tcp://127.0.0.1:1", "--bind=203.0.113.1"],
            1,
            ["Cannot assign requested address\n", "esta máquina no tiene esa dirección\n"],
        ),
        (
            &["bench", "tcp://127.0.0.1:1", "--pid=4294967295"],
            2,
            [
                "there is no process 4294967295 on this machine\n",
                "no hay ningún proceso 4294967295",
            ],
        ),
    ] {
        for (language, said) in [("en", english), ("es", spanish)] {
            let ended = run(&[&["--lang", language], arguments].concat(), b"");
            assert_eq!(ended.code, Some(code), "{ended:?}");
            assert!(ended.stderr.contains(said), "{arguments:?}: {ended:?}");
            assert!(!ended.stderr.contains("os error"), "{ended:?}");
        }
    }
}
