from chassis.run import run

run("services.cases.service:CasesService")
