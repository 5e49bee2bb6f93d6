"""The schema of a deployment's database, from release to release.

A store declares its tables as they are now; a file in `versions/` takes a database one step there. To change
a table: change it in its store, add the next numbered file (`r0002_what_it_does.py`, its `down_revision` the
number before), and set `NEWEST`. A migration imports no store: it must do the same next year.
`op.batch_alter_table` changes what SQLite cannot alter in place. `tests/unit/test_migrations.py` tells what a
migration forgot, and takes the databases of earlier releases in `tests/databases/` along.

Databases only go forward: who wants to go back restores a backup.
"""

NEWEST = "0004"
"""The version that this code works with; alembic need not be loaded to see that a database has it."""
