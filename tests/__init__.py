"""The tests of the project, and what they are played on."""
