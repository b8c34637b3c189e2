"""TLS and SASL against a real broker: an authority of the test's own, certificates of both sides, PLAIN,
SCRAM and OAUTHBEARER; what is wrong is refused by name, and no secret is shown."""

import pathlib
import subprocess
import tempfile
import time

from confluent_kafka.admin import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

from kafka_broker import Broker, free_ports
from kafka_lake import KafkaLake
from playhead_lake import equal
from simulated_truth import check_streams, read_truth

TOPIC = "media-events"
USER, PASSWORD = "player", "not-to-be-shown-7"
RECORDS = 600
STARTED = time.monotonic()


def make_certificates(folder):
    """authority.pem; broker.pem and client.pem (key and certificate); other.pem, an authority of nobody."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ["-newkey", "rsa:2048", "-nodes"]
    for authority in ("authority", "other"):
        openssl("req", "-x509", *key, "-keyout", f"{authority}.key", "-out", f"{authority}.pem", "-days", "2",
                "-subj", f"/CN=playhead test {authority}")
    for name in ("broker", "client"):
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "authority.pem", "-CAkey", "authority.key",
                "-CAcreateserial", "-out", f"{name}.crt", "-days", "2", "-extfile", "names")
        pem = (folder / f"{name}.key").read_text() + (folder / f"{name}.crt").read_text()
        (folder / f"{name}.pem").write_text(pem)


class SecureBroker(Broker):
    """Listens plainly for the test itself, with TLS for clients that have a certificate, and with SASL."""

    def __init__(self, folder):
        super().__init__()
        tls = free_ports()
        self.tls, self.sasl = f"127.0.0.1:{tls}", f"127.0.0.1:{tls + 1}"
        plain, controller = self.servers, f"127.0.0.1:{self.port + 1}"
        listeners = (f"PLAINTEXT://{plain},CONTROLLER://{controller},SSL://{self.tls},"
                     f"SASL_SSL://{self.sasl}")
        security = "org.apache.kafka.common.security"
        lines = {
            "listeners": listeners,
            "advertised.listeners": listeners,
            "listener.security.protocol.map":
                "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL",
            "ssl.keystore.type": "PEM", "ssl.keystore.location": folder / "broker.pem",
            "ssl.truststore.type": "PEM", "ssl.truststore.location": folder / "authority.pem",
            "listener.name.ssl.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
            "listener.name.sasl_ssl.plain.sasl.jaas.config":
                f'{security}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
            "listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config":
                f"{security}.scram.ScramLoginModule required;",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config":
                f"{security}.scram.ScramLoginModule required;",
            # Kafka's own handler of unsecured tokens, which is made for tests.
            "listener.name.sasl_ssl.oauthbearer.sasl.jaas.config":
                f'{security}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="b";',
        }
        (folder / "broker.properties").write_text("".join(f"{k}={v}\n" for k, v in lines.items()))
        self.environment = {"KAFKA_PROPERTIES": str(folder / "broker.properties")}

    def add_scram_user(self):
        for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
            change = UserScramCredentialUpsertion(USER, ScramCredentialInfo(mechanism, 4096),
                                                  PASSWORD.encode())
            self.admin.alter_user_scram_credentials([change])[USER].result(20)


class Door:
    """One of the broker's listeners."""

    def __init__(self, servers):
        self.servers = servers


def writes_and_reads(broker, servers, seed, **properties):
    """`simulate --to kafka` and `ingest --once`, both through the listener."""
    broker.create(TOPIC)
    with KafkaLake(Door(servers), **properties) as lake:
        truth_file = lake.folder / "truth.json"
        lake.run("simulate", "media_events", "--events", RECORDS, "--seed", str(seed), "--faults", "0.05",
                 "--to", "kafka", "--truth", truth_file)
        equal("read", lake.once()[0], RECORDS)
        check_streams(lake, read_truth(truth_file))
        lake.audit()
        shown = lake.run("config", "--format", "json")
        assert PASSWORD not in shown, "playhead config shows the password"
    broker.delete(TOPIC)


def is_refused(servers, words, **properties):
    with KafkaLake(Door(servers), **properties) as lake:
        message = lake.refused("ingest", "--once")
        for word in words:
            assert word in message, f"{word!r} is not in: {message}"
        assert PASSWORD not in message, message


def said(what):
    print(f"{time.monotonic() - STARTED:5.1f} s  {what}", flush=True)


def main():
    with tempfile.TemporaryDirectory(prefix="playhead-tls-") as name:
        folder = pathlib.Path(name)
        make_certificates(folder)
        with SecureBroker(folder) as broker:
            broker.add_scram_user()
            said("the broker runs")
            authority = {"ssl.ca.location": str(folder / "authority.pem")}
            tls = {"security.protocol": "SSL", **authority}
            own = {"ssl.certificate.location": str(folder / "client.crt"),
                   "ssl.key.location": str(folder / "client.key")}
            writes_and_reads(broker, broker.tls, 1, **tls, **own)
            said("TLS with certificates of both sides: written and read")

            sasl = {"security.protocol": "SASL_SSL", **authority}
            user = {"sasl.username": USER, "sasl.password": PASSWORD}
            for seed, mechanism in enumerate(("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"), start=2):
                writes_and_reads(broker, broker.sasl, seed, **sasl, **user, **{"sasl.mechanisms": mechanism})
                said(f"{mechanism} over TLS: written and read")
            token = {"sasl.mechanisms": "OAUTHBEARER", "enable.sasl.oauthbearer.unsecure.jwt": "true",
                     "sasl.oauthbearer.config": f"principal={USER}"}
            writes_and_reads(broker, broker.sasl, 5, **sasl, **token)
            said("OAUTHBEARER over TLS: written and read")

            is_refused(broker.sasl, ["Unauthenticated", broker.sasl, "Authentication failed"], **sasl,
                       **{**user, "sasl.mechanisms": "SCRAM-SHA-512", "sasl.password": "wrong"})
            is_refused(broker.tls, [broker.tls, "certificate verify failed"],
                       **{**tls, **own, "ssl.ca.location": str(folder / "other.pem")})
            said("a wrong password and an unknown authority are refused by name")


if __name__ == "__main__":
    main()
