"""Packages of the time that may not be installed: the last place where a script's imports look."""
