package geocoding_test

import (
	"testing"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/geocoding"
)

func TestEveryNameAndSpelling(t *testing.T) {
	t.Parallel()
	d := geocoding.NewMunicipalities(testdb.Pool(t))
	for word, want := range map[string]string{
		"Díli": "TL-DI", "dili": "TL-DI", "Cova-Lima": "TL-CO", "COVA LIMA": "TL-CO", "Kovalima": "TL-CO", "Oecussi": "TL-OE", "Oé-Cusse Ambeno": "TL-OE",
		"Liquiça": "TL-LI", "Lautem": "TL-LA", "tl-at": "TL-AT", "Atauro": "TL-AT", "Vila Salazar": "TL-BA", "Kupang": "", "": "",
		"Oe\u02bckusi-Ambenu": "TL-OE", "Oe\u0301-Cusse Ambeno": "TL-OE", "ＤＩＬＩ": "TL-DI",
	} {
		got, ok, err := d.Code(t.Context(), word)
		if err != nil || got != want || ok != (want != "") {
			t.Errorf("%q: got %q %v, %v", word, got, ok, err)
		}
	}
	all, err := d.All(t.Context())
	if err != nil || len(all) != 14 {
		t.Errorf("%d municipalities, %v", len(all), err)
	}
}
