"""The only room that imports pytest: options, accounts, verdicts, markers, fixtures, reports."""
