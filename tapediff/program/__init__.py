"""Programs: a function recorded once, replayed on new inputs and over batches."""
