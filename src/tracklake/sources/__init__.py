"""Where activities come from: one file a source; they do not know one another."""
