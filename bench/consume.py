"""`python -m bench.consume`: runs the service whose consumer is measured."""

from chassis.run import run

if __name__ == "__main__":
    run("bench.consumer_service:ConsumerService")
