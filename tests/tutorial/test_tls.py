"""The greeting over TLS: the public package, OpenSSL and curl with a certificate of ours."""

import asyncio
import shutil
import ssl
import subprocess

import pytest
import websockets

from conftest import BINARY, PATIENCE_S


@pytest.fixture
def state(monkeypatch, tmp_path):
    """Where the development certificate is kept during a test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "enchufe"


def run(*words):
    """What a program prints, for those that are there."""
    if not shutil.which(words[0]):
        pytest.skip(f"{words[0]} is not installed")
    return subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S, check=True
    ).stdout


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_their_client_trusts_our_certificate(enchufe, state, host):
    port = enchufe("serve", "greet", "wss://localhost:0", "--tls-dev").port()
    context = ssl.create_default_context(cafile=state / "development.pem")

    async def greet():
        async with websockets.connect(f"wss://{host}:{port}", ssl=context) as connection:
            await connection.send("Ana")
            return await asyncio.wait_for(connection.recv(), PATIENCE_S)

    assert asyncio.run(greet()) == "Hola Ana!"


def test_their_client_does_not_trust_it_unasked(enchufe, state):
    port = enchufe("serve", "greet", "wss://localhost:0", "--tls-dev").port()

    async def greet():
        async with websockets.connect(f"wss://localhost:{port}"):
            pass

    with pytest.raises(ssl.SSLCertVerificationError):
        asyncio.run(greet())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_our_client_trusts_their_server_with_it(enchufe, state, version):
    # It makes the certificate.
    enchufe("serve", "greet", "wss://localhost:0", "--tls-dev").port()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(state / "development.pem", state / "development-key.pem")
    context.minimum_version = context.maximum_version = version

    said = []

    async def greet():
        async def answer(connection):
            said.append(await connection.recv())
            await connection.send("Hola " * 100_000)

        async with websockets.serve(answer, "127.0.0.1", 0, ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            client = await asyncio.create_subprocess_exec(
                BINARY, "connect", "--ca", state / "development.pem", f"wss://localhost:{port}",
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )
            printed, _ = await asyncio.wait_for(client.communicate(b"Ana\n"), PATIENCE_S)
            return client.returncode, printed.decode()

    assert asyncio.run(greet()) == (0, "Hola " * 100_000 + "\n")
    assert said == ["Ana"]


def test_openssl_agrees_with_us_on_http_1_1(enchufe, state):
    port = enchufe("serve", "greet", "wss://localhost:0", "--tls-dev").port()
    certificate = str(state / "development.pem")
    said = run(
        "openssl", "s_client", "-connect", f"localhost:{port}", "-alpn", "h2,http/1.1",
        "-CAfile", certificate, "-verify_return_error",
    )
    assert "ALPN protocol: http/1.1" in said
    assert "Verify return code: 0 (ok)" in said


def test_curl_gets_the_page_of_a_service_and_of_a_feed(enchufe, state):
    service = enchufe("serve", "greet", "wss://localhost:0", "--tls-dev").port()
    feed = enchufe("feed", "clock", "--listen", "https://localhost:0", "--tls-dev")
    page = feed.hear(r"(https://\S+)/$")
    certificate = str(state / "development.pem")
    for url in [f"https://localhost:{service}/", page]:
        assert "</html>" in run("curl", "-sS", "--noproxy", "*", "--cacert", certificate, url)
