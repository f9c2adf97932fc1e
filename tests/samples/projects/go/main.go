// Command words counts the words of its arguments.
package main

import (
	"fmt"
	"os"
	"strings"

	"example.com/words/words"
)

func main() {
	fmt.Println(words.Count(strings.Join(os.Args[1:], " ")))
}
