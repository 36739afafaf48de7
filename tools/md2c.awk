# Turns the C examples of a document into a header, for a test that runs them as they stand: before
# each of its includes the test says which, by EXAMPLE. EXAMPLES is how many there are.
#
# awk -f tools/md2c.awk docs/TEMPORAL.md > temporal_manual.h
/^```c$/ { inside = 1; printf "#if EXAMPLE == %d\n#line %d \"%s\"\n", ++count, NR + 1, FILENAME; next }
/^```/ { if (inside) print "#endif"; inside = 0; next }
inside
END { printf "#undef EXAMPLE\n#undef EXAMPLES\n#define EXAMPLES %d\n", count }
