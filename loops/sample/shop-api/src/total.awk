# What an order costs, in cents. Each line is one item: its name, how many, the price of one.
{ total += $3 }
END { print total + 0 }
