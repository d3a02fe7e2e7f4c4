"""Whether a server's answer to an offer of permessage-deflate is lawful (RFC 7692 §7.1).

The suite goes along with whatever it is answered; a browser closes the connection.
"""

NAME = "permessage-deflate"
FLAGS = {"server_no_context_takeover", "client_no_context_takeover"}
SERVER_BITS, CLIENT_BITS = "server_max_window_bits", "client_max_window_bits"


def fault(request, response):
    """What is wrong with the answer, if anything. Both are the heads of HTTP messages."""
    try:
        offers = parse(field(request))
        answers = parse(field(response))
        if len(answers) != 1:
            return f"{len(answers)} extensions were agreed on"
        faults = [against(offer, answers[0]) for offer in offers]
    except ValueError as error:
        return str(error)
    return None if None in faults else "; ".join(map(str, faults))


def field(head):
    """The value of Sec-WebSocket-Extensions."""
    values = []
    for line in head.splitlines()[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() == "sec-websocket-extensions":
            values.append(value.strip())
    return ", ".join(values)


def parse(value):
    """The parameters of each extension named."""
    extensions = []
    for extension in filter(None, map(str.strip, value.split(","))):
        name, *rest = [part.strip() for part in extension.split(";")]
        if name != NAME:
            raise ValueError(f"an extension is called {name!r}")
        parameters = {}
        for part in rest:
            key, equals, bits = part.partition("=")
            if key in parameters:
                raise ValueError(f"{key} is said twice")
            parameters[key] = check(key, bits.strip('"') if equals else None)
        extensions.append(parameters)
    return extensions


def check(key, value):
    """A parameter's value: a flag has none, a number of window bits is from 8 to 15."""
    if key in FLAGS and value is None:
        return None
    if key == CLIENT_BITS and value is None:
        return None
    if key in (SERVER_BITS, CLIENT_BITS) and value in map(str, range(8, 16)):
        return int(value)
    raise ValueError(f"{key} is {value!r}")


def against(offer, answer):
    """What the answer says that this offer does not allow."""
    if "server_no_context_takeover" in offer and "server_no_context_takeover" not in answer:
        return "server_no_context_takeover was asked for and not granted"
    if SERVER_BITS in offer and answer.get(SERVER_BITS, 16) > offer[SERVER_BITS]:
        return f"{SERVER_BITS}={offer[SERVER_BITS]} was asked for and not granted"
    if CLIENT_BITS in answer:
        if CLIENT_BITS not in offer:
            return f"{CLIENT_BITS} was answered and not offered"
        if answer[CLIENT_BITS] is None:
            return f"{CLIENT_BITS} was answered without a value"
        if answer[CLIENT_BITS] > (offer[CLIENT_BITS] or 15):
            return f"{CLIENT_BITS}={answer[CLIENT_BITS]} is more than what was offered"
    return None
