# The shop's tests, told as JUnit XML: a fruit passes when its price is there.
# One suite with one cause, so that all missing prices are one finding.
echo '<testsuites><testsuite name="prices">'
for fruit in apple pear plum fig; do
  if grep -qs "^$fruit=ok" src/prices.conf; then
    echo "<testcase name=\"$fruit\" file=\"src/prices.conf\"/>"
  else
    echo "<testcase name=\"$fruit\" file=\"src/prices.conf\"><failure message=\"the price is missing\"/></testcase>"
  fi
done
echo '</testsuite><testsuite name="cart">'
if grep -qs '^adds=ok' src/cart.conf; then
  echo '<testcase name="adds" file="src/cart.conf"/>'
else
  echo '<testcase name="adds" file="src/cart.conf"><failure message="the cart does not add"/></testcase>'
fi
echo '</testsuite></testsuites>'
! grep -qsE '^[a-z]+=missing' src/prices.conf src/cart.conf
