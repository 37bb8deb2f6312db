# Prints a source file as one mutation changes it.
#
#   awk -v name=MUTATION -v file=PATH -f mutate.awk TABLE SOURCE     PATH: as the table writes it
#
# Each change says whole lines, which must be in the file exactly once: a table that no longer fits the sources fails here.
FNR == NR {
	if (/^[a-z][^ ]* /)
		within = $1 == name
	else if (within && /^[a-z][^ ]*$/)
		edit += here = $0 == file
	else if (within && here && /^-/)
		old[edit] = old[edit] substr($0, 2) "\n"
	else if (within && here && /^\+/)
		new[edit] = new[edit] substr($0, 2) "\n"
	next
}
{ text = text $0 "\n" }
END {
	if (!edit)
		exit complain("changes nothing in " file)
	for (i = 1; i <= edit; i++) {
		at = index("\n" text, "\n" old[i])
		rest = substr(text, at + length(old[i]) - 1)
		if (!at || index(rest, "\n" old[i]))
			exit complain(file " has these lines " (at ? "more than once" : "nowhere") ":\n" old[i])
		text = substr(text, 1, at - 1) new[i] substr(text, at + length(old[i]))
	}
	printf "%s", text
}
function complain(what) {
	print "mutations: " name ": " what > "/dev/stderr"
	return 1
}
