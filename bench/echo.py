"""`python -m bench.echo`: runs the yardstick's service."""

from chassis.run import run

if __name__ == "__main__":
    run("bench.echo_service:EchoService")
