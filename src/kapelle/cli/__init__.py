"""The command line: parse, call, print. Importing its modules imports click and nothing else."""
