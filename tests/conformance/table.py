"""The committed table: docs/conformance.md, and the same in Spanish."""

import os

import suite
import verdict

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")

TITLES = {
    "conformance.md": {
        1: "Framing", 2: "Pings and pongs", 3: "Reserved bits", 4: "Opcodes", 5: "Fragmentation",
        6: "UTF-8", 7: "Closing", 9: "Limits", 10: "Automatic fragmentation",
        12: "Compression: five kinds of data", 13: "Compression: offers and answers",
        "all": "All",
    },
    "conformance.es.md": {
        1: "Tramas", 2: "Pings y pongs", 3: "Bits reservados", 4: "Códigos de operación",
        5: "Fragmentación", 6: "UTF-8", 7: "Cierre", 9: "Límites", 10: "Fragmentación automática",
        12: "Compresión: cinco tipos de datos", 13: "Compresión: ofertas y respuestas",
        "all": "Todas",
    },
}

TEXTS = {
    "conformance.md": """\
# Conformance

[Versión española](conformance.es.md)

All {count} cases of Autobahn's suite, driven by {driver}, sections 12 and 13 with {messages} messages a
case. `scripts/conformance` writes this page, and only when no case failed and none was non-strict;
`scripts/test` runs the same with a tenth of those messages.

A case is *OK* when the suite says so of its messages and of its closing. In sections 12 and 13 every
message must have come back besides, the answer to the offer must be one that RFC 7692 §7.1 allows, and
text of 1 KiB or more must have come back compressed; a relay inflates everything that came back with
zlib and the window that was agreed on, no wider. *Informational* are {informational}, which the
suite does not judge, because the RFC leaves them open. There is no section 8 and no section 11.

{tables}""",
    "conformance.es.md": """\
# Conformidad

[English version](conformance.md)

Los {count} casos de la batería de Autobahn, ejecutados con {driver}; las secciones 12 y 13, con
{messages} mensajes por caso. Esta página la escribe `scripts/conformance`, y solo si ningún caso falla
ni pasa de forma no estricta; `scripts/test` hace lo mismo con la décima parte de esos mensajes.

Un caso es *OK* cuando la batería lo dice de sus mensajes y de su cierre. En las secciones 12 y 13,
además, tiene que haber vuelto cada mensaje, la respuesta a la oferta tiene que ser una que permita la
RFC 7692 §7.1, y el texto de 1 KiB o más tiene que haber vuelto comprimido; un intermediario descomprime
todo lo que vuelve con zlib y con la ventana acordada, no mayor. *Informativos* son
{informational}, que la batería no juzga porque la RFC los deja abiertos. No hay sección 8 ni
sección 11.

{tables}""",
}

PEERS = {
    "conformance.md": {
        "serve": "The server: `enchufe serve echo`",
        "client": "The client: `enchufe::Connection`, echoing, with the default offer (13.2, 13.5 and "
        "13.6: and `client_no_context_takeover`)",
        "listener": "The library's server: `enchufe::Listener`, keeping its window",
    },
    "conformance.es.md": {
        "serve": "El servidor: `enchufe serve echo`",
        "client": "El cliente: `enchufe::Connection`, como eco, con la oferta por defecto (13.2, 13.5 "
        "y 13.6: y `client_no_context_takeover`)",
        "listener": "El servidor de la biblioteca: `enchufe::Listener`, que conserva su ventana",
    },
}

HEADS = {
    "conformance.md": "| Section | | Cases | OK | Non-strict | Informational | Failed | Messages | "
    "Size as sent back |",
    "conformance.es.md": "| Sección | | Casos | OK | No estrictos | Informativos | Fallidos | Mensajes "
    "| Tamaño al volver |",
}


def write(outcomes, messages):
    """Writes the page in both languages."""
    for name, text in TEXTS.items():
        tables = [
            f"## {title}\n\n" + "\n".join(rows(name, outcomes[peer].verdicts, messages)) + "\n"
            for peer, title in PEERS[name].items()
        ]
        page = text.format(
            count=suite.CASES_COUNT,
            driver=suite.DRIVER,
            messages=messages,
            informational=", ".join(sorted(suite.INFORMATIONAL, key=case_key)),
            tables="\n".join(tables),
        )
        with open(os.path.join(ROOT, "docs", name), "w", encoding="utf-8") as file:
            file.write(page)


def case_key(case_id):
    """7.13.1 comes after 7.1.6."""
    return [int(part) for part in case_id.split(".")]


def rows(name, verdicts, messages):
    """The lines of a table."""
    yield HEADS[name]
    yield "|---:|---|" + "---:|" * 7
    counts = verdict.tally(verdicts)
    for number in suite.SECTIONS:
        of_section = [each for each in verdicts if suite.section(each.case_id) == number]
        compressed = sum(each.wire_octets > 0 for each in of_section)
        octets = [sum(getattr(each, f"{what}_octets") for each in of_section) for what in ("wire", "payload")]
        extra = [f"{compressed * messages:,}", f"{octets[0] / octets[1]:.0%}"] if compressed else ["", ""]
        yield row(number, TITLES[name][number], counts[number], extra)
    yield row("", TITLES[name]["all"], sum(counts.values(), type(counts[1])()), ["", ""])


def row(number, title, count, extra):
    cells = [number, title, sum(count.values()), *(count[kind] for kind in verdict.VERDICTS), *extra]
    return "| " + " | ".join(map(str, cells)) + " |"
