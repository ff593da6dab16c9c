from chassis.run import run

if __name__ == "__main__":
    run("services.identity.service:IdentityService")
