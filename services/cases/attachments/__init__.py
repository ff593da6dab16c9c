"""What an applicant hands in as a file: what is known of it stands here, its bytes stand in the gateway's store."""
