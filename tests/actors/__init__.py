"""What several tests need: a mail server that misbehaves on request, hostile objects, sample reports."""
