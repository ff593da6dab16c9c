"""What an account proves itself by besides its password, and the second step of a sign-in."""
