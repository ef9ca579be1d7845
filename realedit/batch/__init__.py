"""Many edits, each to be done once: what is asked (job list), what is left to do (plan), who does it (engine), and what
came of it (manifest). It knows files and recipes, and nothing of how an edit is made."""
