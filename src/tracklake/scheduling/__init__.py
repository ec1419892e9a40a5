"""The scheduler: one process that starts flows at the times of a crontab, each time once.

Pure: what a crontab says (`lines`), when that is (`slots`), what was run (`entries`) and what is to
be run next (`rules`). The rest are its edges: the crontab, the state file, child processes, the
sign of life, the log. It loads no warehouse and no Arrow, because it waits nearly always.
"""
