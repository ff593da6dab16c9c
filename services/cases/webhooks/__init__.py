"""Webhooks as their owners see them. `chassis.webhooks` sends what the rows say."""
