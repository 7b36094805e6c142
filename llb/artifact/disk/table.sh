#!/bin/sh
# Reads the table of partitions. A library: sourced by the scripts beside it.

# each_partition TABLE COMMAND: runs a command for each line, with its columns in variables. The first line has their names,
# and | separates columns (table.go).
each_partition() {
	{
		read -r names
		names=$(echo "$names" | tr '|' ' ')
		# shellcheck disable=SC2086,SC2229 # the names of variables are in it
		while IFS='|' read -r $names; do
			"$2"
		done
	} <"$1"
}
