package locale

import (
	"fmt"
	"strconv"
	"time"
)

// Months are the names of the months in l. Those in Tetum are as the orthography of the Instituto Nacional de Linguística has
// them.
func Months(l Language) [12]string {
	switch l {
	case Tetum:
		return [...]string{"Janeiru", "Fevereiru", "Marsu", "Abríl", "Maiu", "Juñu", "Jullu", "Agostu", "Setembru", "Outubru", "Novembru", "Dezembru"}
	case Portuguese:
		return [...]string{"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro"}
	}
	return [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
}

// Date writes the day of t, in the zone of t, as people of l write it: "5 December 2026", "5 de dezembro de 2026".
func Date(l Language, t time.Time) string {
	month := Months(l)[t.Month()-1]
	if l == Portuguese {
		return fmt.Sprintf("%d de %s de %d", t.Day(), month, t.Year())
	}
	return fmt.Sprintf("%d %s %d", t.Day(), month, t.Year())
}

// Number writes a count as people of l write it: 12,345 in English, 12 345 with a space that does not break in Portuguese,
// 12.345 in Tetum.
func Number(l Language, n int) string {
	separator := map[Language]string{English: ",", Portuguese: "\u00a0", Tetum: "."}[l]
	digits := strconv.Itoa(n)
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + separator + digits[at:]
	}
	return digits
}
