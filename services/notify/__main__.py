from chassis.run import run

run("services.notify.service:NotifyService")
