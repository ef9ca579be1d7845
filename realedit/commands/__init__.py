"""The command line: options, inputs and outputs, and what each command does with the library."""
