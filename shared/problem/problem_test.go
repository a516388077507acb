package problem_test

import (
	"testing"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
)

func TestFieldsAreInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ message, pt, tet string }{
		{"is empty", "está vazio", "mamuk"},
		{"expected number >= 1", "esperado um número >= 1", "tenke númeru >= 1"},
		{"expected array length <= 50", "esperados no máximo 50 elementos", "la bele liu elementu 50"},
		{`expected value to be one of "tet, pt, en"`, "esperado um destes valores: tet, pt, en", "tenke valór ida husi ne'e: tet, pt, en"},
		{"expected a date as YYYY-MM-DD, from 1900 to 2100", "esperada uma data AAAA-MM-DD, de 1900 a 2100", "tenke data ida TTTT-FF-LL, husi 1900 to'o 2100"},
		{"expected something new", "expected something new", "expected something new"},
	} {
		err := problem.InvalidField("name", c.message)
		for language, want := range map[locale.Language]string{locale.English: c.message, locale.Portuguese: c.pt, locale.Tetum: c.tet} {
			if got := problem.DocumentOf(err, language, "", "").Errors[0].Message; got != want {
				t.Errorf("%s: got %q, want %q", language, got, want)
			}
		}
		if err.Fields[0].Message != c.message {
			t.Errorf("the error itself was changed to %q", err.Fields[0].Message)
		}
	}
}

func TestStatusesAreInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	err := problem.New(problem.Conflict, "transition_not_allowed").Param("from", "fixed").Param("to", "verified")
	for language, want := range map[locale.Language]string{
		locale.English:    "A report that is fixed cannot become verified.",
		locale.Portuguese: "Um relato no estado reparado não pode passar a verificado.",
		locale.Tetum:      "Relatóriu ho estadu hadi'a tiha ona la bele sai verifika tiha ona.",
	} {
		if got := problem.DocumentOf(err, language, "", "").Detail; got != want {
			t.Errorf("%s: got %q, want %q", language, got, want)
		}
	}
}
