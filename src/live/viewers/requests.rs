//! What viewers ask for: the commands of `enchufe.v1`.

use enchufe_core::{
    ErrorCode, Form, Kind, MessageRef,
    v1::{self, Command, Event, Request, RequestId, Unparsed},
    ws::CloseCode,
};

use super::{Seat, Viewers};
use crate::{
    live::{
        clerk::{self, Ask, What},
        node::Errand,
    },
    shard::Full,
};

impl Viewers {
    pub(super) fn on_request(
        &mut self,
        seat: &mut Seat,
        message: MessageRef<'_>,
    ) -> Result<(), Full> {
        let reader = seat.reader;
        if self.fanout.form(reader) != Some(Form::V1) {
            self.fanout.close(reader, CloseCode::READ_ONLY, "read only");
            return Ok(());
        }
        if message.kind == Kind::Binary {
            self.fanout.close(reader, CloseCode::UNSUPPORTED, "enchufe.v1 is text");
            return Ok(());
        }
        match Request::parse(message.payload) {
            Ok(Request { id, command }) => self.on_command(seat, id, command),
            Err(Unparsed { id, error }) => {
                let message = error.to_string();
                self.reply(seat, &Event::error(error.code(), &message, None), id.as_ref())
            }
        }
    }

    fn on_command(
        &mut self,
        seat: &mut Seat,
        id: Option<RequestId>,
        command: Command,
    ) -> Result<(), Full> {
        let reader = seat.reader;
        match command {
            Command::Ping => self.reply(seat, &Event::Pong {}, id.as_ref()),
            Command::Subscribe { channel, since, slow, presence } => {
                if presence && let Err(error) = self.watchers.readers().permit(&channel) {
                    let message = error.to_string();
                    let event = Event::error(error.code(), &message, Some(&channel));
                    return self.reply(seat, &event, id.as_ref());
                }
                match self.fanout.subscribe(reader, &channel, slow) {
                    Ok(subscription) => {
                        if presence {
                            self.watchers.wish(subscription, reader);
                        }
                        if let Some(id) = id {
                            self.fanout.name_request(subscription, id);
                        }
                        let (shard, may_publish) = (self.index, seat.rights.publish);
                        let errand = Errand::Resolve {
                            shard,
                            subscription,
                            channel,
                            since,
                            slow,
                            may_publish,
                        };
                        self.ways.errands.send(errand).ok();
                        Ok(())
                    }
                    Err(error) => {
                        let message = error.to_string();
                        let event = Event::error(error.code(), &message, Some(&channel));
                        self.reply(seat, &event, id.as_ref())
                    }
                }
            }
            Command::Presence { channel } => match self.watchers.readers().ask(&channel) {
                Ok(known) if id.is_none() => {
                    self.fanout.push(reader, known.frame().clone()).map_err(|_| Full)
                }
                Ok(known) => {
                    let event = Event::presence(&channel, &known.snapshot);
                    self.reply(seat, &event, id.as_ref())
                }
                Err(error) => {
                    let message = error.to_string();
                    let event = Event::error(error.code(), &message, Some(&channel));
                    self.reply(seat, &event, id.as_ref())
                }
            },
            Command::Unsubscribe { channel } => {
                let event = if self.fanout.unsubscribe(reader, &channel) {
                    Event::Unsubscribed { channel: &channel }
                } else {
                    let message = "this connection does not read the channel";
                    Event::error(ErrorCode::NotSubscribed, message, Some(&channel))
                };
                self.reply(seat, &event, id.as_ref())
            }
            Command::Publish { channel, message, key } => {
                self.ask(seat, Ask { id, what: What::Publish { channel, message, key } });
                Ok(())
            }
            Command::History { channel, since, limit } => {
                self.ask(seat, Ask { id, what: What::History { channel, since, limit } });
                Ok(())
            }
        }
    }

    /// Hands in what the control plane is to do.
    fn ask(&mut self, seat: &mut Seat, ask: Ask) {
        let desk = seat.desk.get_or_insert_with(|| {
            let (desk, clerk) = clerk::open(&self.inbox, seat.row, seat.reader, seat.rights);
            self.ways.errands.send(Errand::Employ(clerk)).ok();
            Box::new(desk)
        });
        desk.hand_in(ask);
    }

    fn reply(
        &mut self,
        seat: &Seat,
        event: &Event<'_>,
        id: Option<&RequestId>,
    ) -> Result<(), Full> {
        if let Event::Error { code, .. } = event {
            self.record.refused(code.as_str());
        }
        self.fanout.push(seat.reader, v1::answer(event, id)).map_err(|_| Full)
    }
}
