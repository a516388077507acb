package locale

import (
	"fmt"
	"time"
)

// Date writes the day of t, in the zone of t, as people of l write it: "5 December 2026", "5 de dezembro de 2026".
func Date(l Language, t time.Time) string {
	month := t.Month() - 1
	switch l {
	case Tetum: // months as the orthography of the Instituto Nacional de Linguística has them
		return fmt.Sprintf("%d %s %d", t.Day(), [...]string{"Janeiru", "Fevereiru", "Marsu", "Abríl", "Maiu", "Juñu", "Jullu", "Agostu",
			"Setembru", "Outubru", "Novembru", "Dezembru"}[month], t.Year())
	case Portuguese:
		return fmt.Sprintf("%d de %s de %d", t.Day(), [...]string{"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto",
			"setembro", "outubro", "novembro", "dezembro"}[month], t.Year())
	}
	return t.Format("2 January 2006")
}
