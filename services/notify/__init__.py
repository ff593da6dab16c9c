"""What you are told: inbox messages and mails, their wording, preferences and deliveries."""
