# The receipt of an order: a line per item.
{ printf "%s x %d\n", $1, $2 }
