//! What is on the screen, and what keys do to it.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::Line,
    widgets::{Block, Cell, Clear, Paragraph, Row, Table},
};

use super::{
    keys::Key,
    report::Standing,
    say,
    table::{self, Choice},
};
use crate::{
    cli::{
        args::Column, catalogue::TopPhrase, escape, exit_code::Exit, failure::Failure,
        language::Language, output,
    },
    limits,
};

/// Whether the server answers.
pub(super) enum Contact {
    /// It does.
    Held,
    /// It did not the last time.
    Lost(Failure),
}

/// The screen.
pub(super) struct View {
    server: String,
    standing: Standing,
    pub(super) contact: Contact,
    choice: Choice,
    /// The text of the filter is being written.
    is_filtering: bool,
    is_paused: bool,
    is_helping: bool,
    scrolled: usize,
    has_colour: bool,
    language: Language,
}

impl View {
    pub(super) fn new(
        server: String,
        standing: Standing,
        choice: Choice,
        language: Language,
    ) -> Self {
        Self {
            server,
            standing,
            contact: Contact::Held,
            choice,
            is_filtering: false,
            is_paused: false,
            is_helping: false,
            scrolled: 0,
            has_colour: output::stdout_has_colour(),
            language,
        }
    }

    /// Shows how the server stands, unless it is paused.
    pub(super) fn show(&mut self, standing: Standing) {
        self.contact = Contact::Held;
        if !self.is_paused {
            self.standing = standing;
        }
    }

    /// Does what the key means; says with what to end.
    pub(super) fn on_key(&mut self, key: Key) -> Option<Exit> {
        match key {
            Key::Interrupt => return Some(Exit::Interrupted),
            Key::Gone => return Some(Exit::HungUp),
            _ if self.is_filtering => self.on_filter_key(key),
            Key::Character('q' | 'Q') => return Some(Exit::Success),
            Key::Escape if self.is_helping => self.is_helping = false,
            Key::Escape => self.choice.filter.clear(),
            Key::Character('h' | '?') => self.is_helping = !self.is_helping,
            Key::Character('p' | ' ') => self.is_paused = !self.is_paused,
            Key::Character('r') => self.choice.reversed = !self.choice.reversed,
            Key::Character('/') => self.is_filtering = true,
            Key::Character('s') => self.choice.sort = self.choice.sort.beside(1),
            Key::Character('S') => self.choice.sort = self.choice.sort.beside(-1),
            Key::Sideways(step) => self.choice.sort = self.choice.sort.beside(step),
            Key::Scroll(rows) => self.scrolled = self.scrolled.saturating_add_signed(rows),
            _ => {}
        }
        None
    }

    fn on_filter_key(&mut self, key: Key) {
        match key {
            Key::Character(character)
                if self.choice.filter.len() < limits::EXCERPT_CHARS_MAX
                    && !character.is_control() =>
            {
                self.choice.filter.push(character);
            }
            Key::Backspace => drop(self.choice.filter.pop()),
            Key::Enter => self.is_filtering = false,
            Key::Escape => {
                self.is_filtering = false;
                self.choice.filter.clear();
            }
            _ => {}
        }
    }

    pub(super) fn draw(&mut self, frame: &mut Frame<'_>) {
        let heading = heading(&self.standing, self.language);
        let rows = u16::try_from(heading.len()).unwrap_or(u16::MAX);
        let [first, above, below, last] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(rows),
            Constraint::Min(1),
            Constraint::Length(1),
        ])
        .areas(frame.area());
        self.draw_title(frame, first);
        let lines: Vec<Line<'_>> = heading.into_iter().map(Line::from).collect();
        frame.render_widget(Paragraph::new(lines), above);
        self.draw_channels(frame, below);
        frame.render_widget(Line::from(self.footer()), last);
        if self.is_helping {
            self.draw_help(frame, below);
        }
    }

    fn draw_title(&self, frame: &mut Frame<'_>, area: Rect) {
        let server = escape::line(self.server.as_bytes());
        let mut title = format!("enchufe top {server}");
        let style = match &self.contact {
            Contact::Held if self.is_paused => {
                title = format!("{title}  {}", say(self.language, TopPhrase::Paused));
                self.coloured(Color::Yellow)
            }
            Contact::Held => self.coloured(Color::Green),
            Contact::Lost(failure) => {
                let why = self.language.report(failure).map(|report| report.message);
                let why = escape::line(why.unwrap_or_default().as_bytes());
                // What went wrong matters more than where.
                title = say(self.language, TopPhrase::Lost(&why));
                self.coloured(Color::Red)
            }
        };
        frame.render_widget(Line::styled(title, style.add_modifier(Modifier::BOLD)), area);
    }

    fn draw_channels(&mut self, frame: &mut Frame<'_>, area: Rect) {
        let others = others(&self.standing, self.language);
        let rows = self.choice.rows(&self.standing);
        let room = usize::from(area.height.saturating_sub(1));
        self.scrolled = self.scrolled.min(rows.len().saturating_sub(room));
        let shown = rows.into_iter().skip(self.scrolled).take(room);
        let cells: Vec<[String; Column::ALL.len()]> =
            shown.map(|row| Column::ALL.map(|column| table::cell(row, column, &others))).collect();
        let mark = if self.choice.reversed { '^' } else { '*' };
        let titles = Column::ALL.map(|column| {
            let title = title(column, self.language);
            if column == self.choice.sort { format!("{title}{mark}") } else { title }
        });
        let widths = std::array::from_fn::<_, { Column::ALL.len() }, _>(|column| {
            let longest = cells.iter().map(|row| row[column].chars().count()).max();
            let width = longest.unwrap_or_default().max(titles[column].chars().count());
            let width = u16::try_from(width).unwrap_or(u16::MAX);
            if column == 0 { Constraint::Fill(1) } else { Constraint::Length(width) }
        });
        let right = |(column, text): (usize, &String)| {
            let line = Line::from(text.clone());
            Cell::from(if column == 0 { line } else { line.right_aligned() })
        };
        let header = Row::new(titles.iter().enumerate().map(right))
            .style(self.coloured(Color::Cyan).add_modifier(Modifier::BOLD));
        let rows = cells.iter().map(|row| Row::new(row.iter().enumerate().map(right)));
        frame.render_widget(Table::new(rows, widths).header(header), area);
    }

    fn draw_help(&self, frame: &mut Frame<'_>, area: Rect) {
        let text = say(self.language, TopPhrase::Help);
        let lines: Vec<Line<'_>> =
            text.lines().map(|line| Line::from(format!(" {line} "))).collect();
        let width = lines.iter().map(Line::width).max().unwrap_or_default() + 2;
        let width = u16::try_from(width).unwrap_or(u16::MAX).min(area.width);
        let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(area.height);
        let area = Rect { width, height, ..area };
        frame.render_widget(Clear, area);
        frame.render_widget(Paragraph::new(lines).block(Block::bordered()), area);
    }

    fn footer(&self) -> String {
        if self.is_filtering {
            return say(self.language, TopPhrase::Filtering(&self.choice.filter));
        }
        let keys = say(self.language, TopPhrase::Keys);
        match self.choice.filter.as_str() {
            "" => keys,
            filter => format!("{}  {keys}", say(self.language, TopPhrase::Filtered(filter))),
        }
    }

    fn coloured(&self, colour: Color) -> Style {
        if self.has_colour { Style::new().fg(colour) } else { Style::new() }
    }
}

/// The lines above the channels.
pub(super) fn heading(standing: &Standing, language: Language) -> [String; 3] {
    let total = &standing.total;
    let [incoming, outgoing] =
        [total.published_per_second, total.deliveries_per_second].map(table::rate);
    let bytes = table::bytes(total.bytes_per_second);
    let log = table::bytes(total.log_bytes as f64);
    let process = standing.resident_bytes.map(|resident| table::bytes(resident as f64));
    let processors = standing.processors.map(|processors| format!("{:.0} %", processors * 100.0));
    let p99 = standing.publish_p99_us.map(table::micros);
    [
        say(language, TopPhrase::Readers { standing }),
        say(
            language,
            TopPhrase::Rates {
                incoming: &incoming,
                outgoing: &outgoing,
                bytes: &bytes,
                p99: p99.as_deref(),
            },
        ),
        say(
            language,
            TopPhrase::Memory {
                standing,
                log: &log,
                process: process.as_deref(),
                processors: processors.as_deref(),
            },
        ),
    ]
}

/// The name of a column.
pub(super) fn title(column: Column, language: Language) -> String {
    say(language, TopPhrase::Title(column))
}

/// What the channels without figures of their own are called.
pub(super) fn others(standing: &Standing, language: Language) -> String {
    say(language, TopPhrase::Others(standing.others_count))
}
