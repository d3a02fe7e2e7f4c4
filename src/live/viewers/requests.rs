//! What viewers ask for: the commands of `enchufe.v1`.

use enchufe_core::{
    Form, Kind, MessageRef,
    fanout::ReaderId,
    v1::{self, Command},
    ws::CloseCode,
};

use super::Viewers;
use crate::{live::node::Errand, shard::Full};

impl Viewers {
    pub(super) fn on_request(
        &mut self,
        reader: ReaderId,
        message: MessageRef<'_>,
    ) -> Result<(), Full> {
        if self.fanout.form(reader) != Some(Form::V1) {
            self.fanout.close(reader, CloseCode::READ_ONLY, "read only");
            return Ok(());
        }
        if message.kind == Kind::Binary {
            self.fanout.close(reader, CloseCode::UNSUPPORTED, "enchufe.v1 is text");
            return Ok(());
        }
        let command = match Command::parse(message.payload) {
            Ok(command) => command,
            Err(error) => return self.refuse(reader, error.code(), &error.to_string(), None),
        };
        match command {
            Command::Ping => self.reply(reader, &v1::Event::Pong {}),
            Command::Subscribe { channel, since, slow } => {
                match self.fanout.subscribe(reader, &channel, slow) {
                    Ok(subscription) => {
                        let shard = self.index;
                        let errand = Errand::Resolve { shard, subscription, channel, since, slow };
                        self.ways.errands.send(errand).ok();
                        Ok(())
                    }
                    Err(error) => {
                        let (message, channel) = (error.to_string(), Some(channel.as_str()));
                        self.refuse(reader, error.code(), &message, channel)
                    }
                }
            }
            Command::Unsubscribe { channel } => {
                if self.fanout.unsubscribe(reader, &channel) {
                    self.reply(reader, &v1::Event::Unsubscribed { channel: &channel })
                } else {
                    let message = "this connection does not read the channel";
                    self.refuse(reader, "not_subscribed", message, Some(channel.as_str()))
                }
            }
        }
    }

    fn refuse(
        &mut self,
        reader: ReaderId,
        code: &'static str,
        message: &str,
        channel: Option<&str>,
    ) -> Result<(), Full> {
        self.record.refused(code);
        self.reply(reader, &v1::Event::Error { code, message, channel })
    }

    fn reply(&mut self, reader: ReaderId, event: &v1::Event<'_>) -> Result<(), Full> {
        self.fanout.push(reader, v1::frame(event)).map_err(|_| Full)
    }
}
