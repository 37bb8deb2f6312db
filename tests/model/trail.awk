# spin -t -p -g, made readable: a line a step, with who did it, where in the model, and what changed. Logs are printed as
# [order@view ...]. Variable replicas: how many there are.
function log_text(value,    text) {
	text = ""
	while (value > 0) {
		text = text (text == "" ? "" : " ") (value % 4) "@" int(value % 32 / 4)
		value = int(value / 32)
	}
	return "[" text "]"
}
function value_text(name, value) {
	if (name ~ /^(push_log|late_log|staged)\[/)
		return value == 0 ? "-" : log_text(value - 1)
	if (name ~ /^(log|disk|history)\[/)
		return log_text(value)
	return value
}
function end_of_step() {
	if (step != "" && changes != "")
		print step changes
	changes = ""
}
match($0, /^ *[0-9]+:\tproc +[0-9]+ \([A-Za-z]+:[0-9]+\) [a-z_.]+:[0-9]+/) {
	split(substr($0, RSTART, RLENGTH), word, /[ \t]+/)
	number = $1
	if (number == last_number)
		next
	end_of_step()
	last_number = number
	which = $3
	process = $4
	sub(/^\(/, "", process)
	sub(/:[0-9]+\)$/, "", process)
	if (process == "Replica")
		process = "replica " (which - 1)
	else if (process == "FrontEnd")
		process = "front-end " (which - 1 - replicas)
	step = sprintf("%5s %-12s %-15s", number, process, $5)
	next
}
match($0, /^\t\t?[a-z_]+(\[[0-9]+\])? = -?[0-9]+/) {
	name = $1
	value = $3
	if (name ~ /^[a-z]_$/ || name ~ /^ok_/)
		next
	if (!(name in seen) && value == 0 || name in seen && seen[name] == value)
		next
	seen[name] = value
	changes = changes " " name "=" value_text(name, value)
	next
}
/assert|spin: trail ends/ {
	end_of_step()
	print
}
END { end_of_step() }
