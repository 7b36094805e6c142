#!/bin/sh
# Reads the partition table of table.go. Other scripts source this library.

# each_partition TABLE COMMAND: runs a command for each line, with the columns in variables. The first line has their names,
# and | separates columns.
each_partition() {
	{
		read -r names
		names=$(echo "$names" | tr '|' ' ')
		# shellcheck disable=SC2086,SC2229 # it contains the names of the variables
		while IFS='|' read -r $names; do
			"$2"
		done
	} <"$1"
}
