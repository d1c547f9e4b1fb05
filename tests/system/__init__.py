"""The recorder as a service, installed on a machine of its own with a real systemd."""
