"""`python -m deploy.check`: the deployment files, held to their schemas and to each other."""
