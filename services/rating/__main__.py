from chassis.run import run

run("services.rating.service:RatingService")
