//! What the words of the command line amount to: which side is listened on, and with which options.

use std::io::IsTerminal as _;

use crate::{
    address::{Address, Host},
    cli::{
        args::{self, StreamFraming},
        failure::Failure,
        program,
        sockets::{Flag, With},
        tls,
        usage::misplaced,
    },
    limits::{MESSAGE_BYTES_MAX, RECORDED_BYTES_MAX},
    relay::{Journal, Observer, RelayOptions},
    transport::{BindOptions, Framing, OpenOptions},
};

/// Which side is listened on.
pub(super) struct Plan {
    pub(super) near: Address,
    pub(super) far: Address,
    pub(super) listens_near: bool,
    pub(super) listens_far: bool,
    typed: [String; 2],
}

/// Whether it is one connection, whatever is done with it.
fn is_one(address: &Address) -> bool {
    matches!(address, Address::Stdio | Address::Exec(_) | Address::File(_))
}

/// The host that a certificate is for, where one is served with.
fn secure_host(address: &Address) -> Option<Host> {
    match address {
        Address::Tls(endpoint) => Some(endpoint.host.clone()),
        Address::Ws(ws) if ws.is_secure => Some(ws.endpoint.host()),
        _ => None,
    }
}

impl Plan {
    /// # Errors
    ///
    /// When the words cannot be meant.
    pub(super) fn new(args: &args::Relay) -> Result<Self, Failure> {
        let listens_near = !args.connect_both && !is_one(&Address::parse_serve(&args.near)?);
        let parse = |text: &str, listens: bool| match listens {
            true => Address::parse_serve(text),
            false => Address::parse_connect(text),
        };
        let plan = Self {
            near: parse(&args.near, listens_near)?,
            far: parse(&args.far, args.listen_both)?,
            listens_near,
            listens_far: args.listen_both,
            typed: [args.near.clone(), args.far.clone()],
        };
        plan.check(args)?;
        Ok(plan)
    }

    /// What clap cannot know: flags that have no meaning with these addresses.
    fn check(&self, args: &args::Relay) -> Result<(), Failure> {
        let sides = self.sides();
        let any = |is: fn(&Address) -> bool| sides.iter().any(|(address, _)| is(address));
        let listens = |is: fn(&Address) -> bool| sides.iter().any(|(a, listens)| *listens && is(a));
        let opens = |is: fn(&Address) -> bool| sides.iter().any(|(a, listens)| !listens && is(a));
        let is_stdio = |address: &Address| *address == Address::Stdio;
        let is_framed = !matches!(args.framing, None | Some(StreamFraming::Raw));
        let flags = [
            (args.listen_both, "--listen-both", !is_one(&self.far)),
            (args.connect_both, "--connect-both", !is_one(&self.near)),
            (args.framing.is_some(), "--framing", any(Address::is_stream)),
            (args.binary, "--binary", any(Address::is_ws)),
            (args.max_message.is_some(), "--max-message", any(Address::is_ws) || is_framed),
            (args.once, "--once", self.is_server()),
            (args.max_connections.is_some(), "--max-connections", self.is_server()),
            (!args.allow_origin.is_empty(), "--allow-origin", listens(Address::is_ws)),
            (!args.host_name.is_empty(), "--host-name", listens(Address::is_ws)),
            (!args.client.ca.is_empty(), "--ca", opens(Address::is_secure)),
            (args.client.insecure, "--insecure", opens(Address::is_secure)),
            (!args.client.header.is_empty(), "--header", opens(Address::is_ws)),
            (args.client.origin.is_some(), "--origin", opens(Address::is_ws)),
            (!args.protocol.is_empty(), "--protocol", any(Address::is_ws)),
            // What passes is on standard output then.
            (args.json, "--json", !any(is_stdio)),
        ];
        let both = self.typed.join(" ");
        if let Some((_, flag, _)) =
            flags.iter().find(|(given, _, has_meaning)| *given && !has_meaning)
        {
            return Err(misplaced(flag, &both, super::COMMAND));
        }
        self.check_sockets(args, &both)?;
        if self.near == Address::Stdio && self.far == Address::Stdio {
            return Err(misplaced("-", "-", super::COMMAND));
        }
        if args.record.is_some() && self.message_bytes_max(args) > RECORDED_BYTES_MAX {
            let flag = format!("--max-message above {} MiB", RECORDED_BYTES_MAX >> 20);
            return Err(misplaced(&flag, "--record", super::COMMAND));
        }
        Ok(())
    }

    /// The flags of sockets, which are those of other commands too.
    fn check_sockets(&self, args: &args::Relay, typed: &str) -> Result<(), Failure> {
        let (listened, opened): (Vec<_>, Vec<_>) =
            self.sides().into_iter().partition(|(_, listens)| *listens);
        let addresses = |sides: &[(&Address, bool)]| -> Vec<Address> {
            sides.iter().map(|(address, _)| (*address).clone()).collect()
        };
        let command = super::COMMAND;
        let check = |addresses: &[Address], flags: Vec<Flag>| {
            With { addresses, typed, command }.check(flags)
        };
        check(&addresses(&listened), args.listening.flags().into())?;
        match addresses(&opened).last() {
            Some(opened) => {
                let flags = args.opening.flags(&args.sockets, command)?;
                check(std::slice::from_ref(opened), flags.into())?;
            }
            None if args.opening.bind.is_some() => {
                return Err(misplaced("--bind", "--listen-both", command));
            }
            None => {}
        }
        check(&[self.near.clone(), self.far.clone()], args.sockets.flags().into())
    }

    fn sides(&self) -> [(&Address, bool); 2] {
        [(&self.near, self.listens_near), (&self.far, self.listens_far)]
    }

    /// Whether others can connect.
    pub(super) fn is_server(&self) -> bool {
        self.listens_near || self.listens_far
    }

    /// Whether there will be one connection and no other.
    pub(super) fn is_one(&self, args: &args::Relay) -> bool {
        // Standard input cannot be read for several clients.
        args.once || !self.listens_near || self.far == Address::Stdio
    }

    /// An address that is connected to with TLS.
    pub(super) fn opened_secure(&self) -> &Address {
        let is_opened = |(address, listens): &(&Address, bool)| !listens && address.is_secure();
        self.sides().into_iter().find(is_opened).map_or(&self.far, |(address, _)| address)
    }

    /// What is listened on, for the certificate.
    pub(super) fn served(&self) -> Vec<tls::Served> {
        let sides = self.sides().into_iter().zip(&self.typed);
        let listened = sides.filter(|((_, listens), _)| *listens);
        listened
            .map(|((address, _), typed)| tls::Served {
                address: typed.clone(),
                secure_host: secure_host(address),
            })
            .collect()
    }

    fn message_bytes_max(&self, args: &args::Relay) -> usize {
        args.max_message.unwrap_or(MESSAGE_BYTES_MAX)
    }

    pub(super) fn bind_options(&self, args: &args::Relay) -> BindOptions {
        let mut options = args.sockets.to_bind(&args.listening);
        options.ws.message_bytes_max = self.message_bytes_max(args);
        options.ws.protocols.clone_from(&args.protocol);
        options.ws.allowed_origins.clone_from(&args.allow_origin);
        options.ws.host_names.clone_from(&args.host_name);
        options
    }

    pub(super) fn open_options(&self, args: &args::Relay) -> OpenOptions {
        let mut options = args.sockets.to_open(&args.opening);
        options.exec = program::options();
        options.ws.message_bytes_max = self.message_bytes_max(args);
        options.ws.protocols.clone_from(&args.protocol);
        args.client.apply(&mut options);
        options
    }

    pub(super) fn relay_options(
        &self,
        args: &args::Relay,
        journal: Option<Journal>,
        observer: Observer,
    ) -> RelayOptions {
        let mut options = RelayOptions::default();
        if let Some(count) = args.max_connections {
            options.connections_max = usize::try_from(count).unwrap_or(usize::MAX);
        }
        options.once = self.is_one(args);
        options.framing = self.framing(args);
        options.message_bytes_max = self.message_bytes_max(args);
        options.is_binary = args.binary;
        options.wait = args.wait;
        options.idle_timeout = args.idle_timeout;
        options.journal = journal;
        options.observer = observer;
        options
    }

    fn framing(&self, args: &args::Relay) -> Option<Framing> {
        let sides = [&self.near, &self.far];
        // As `connect` has it: what people read and type is lines.
        let meets_messages =
            sides.contains(&&Address::Stdio) && sides.iter().any(|address| !address.is_stream());
        let framing = args.framing.or(meets_messages.then_some(StreamFraming::Lines))?;
        Some(match framing {
            // As with `connect`, a carriage return is left where it is, unless it was typed.
            StreamFraming::Lines if cfg!(windows) && std::io::stdin().is_terminal() => {
                Framing::Lines
            }
            StreamFraming::Lines => Framing::LineFeed,
            StreamFraming::Nul => Framing::Nul,
            StreamFraming::Length => Framing::Length,
            StreamFraming::Raw => Framing::Raw,
        })
    }
}
