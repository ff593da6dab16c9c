"""What a department needs to know of its cases: how many, how long, against which limits."""
