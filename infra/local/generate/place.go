package generate

import (
	"math"
	"math/rand/v2"
)

// town is the centre of a cluster of reports: degrees WGS 84, rounded to a kilometre.
type town struct {
	code, municipality, post string
	lat, lon                 float64
	spread                   float64 // metres
	sucos                    []string
}

func towns() []weighted[town] {
	return []weighted[town]{
		{town{"TL-DI", "Dili", "Dom Aleixo", -8.562, 125.540, 2500, []string{"Comoro", "Fatuhada", "Bairro Pite"}}, 22},
		{town{"TL-DI", "Dili", "Nain Feto", -8.562, 125.577, 1200, []string{"Gricenfor", "Lahane Oriental", "Santa Cruz"}}, 12},
		{town{"TL-DI", "Dili", "Vera Cruz", -8.563, 125.565, 1200, []string{"Caicoli", "Motael", "Vila Verde"}}, 9},
		{town{"TL-DI", "Dili", "Cristo Rei", -8.562, 125.605, 2000, []string{"Becora", "Bidau Santana", "Hera"}}, 9},
		{town{"TL-DI", "Dili", "Metinaro", -8.545, 125.770, 2000, []string{"Sabuli", "Wenunuc"}}, 1},
		{town{"TL-BA", "Baucau", "Baucau", -8.480, 126.455, 3000, []string{"Bahu", "Tirilolo", "Caibada"}}, 6},
		{town{"TL-BA", "Baucau", "Venilale", -8.640, 126.380, 2000, []string{"Uailaha", "Fatulia"}}, 1.5},
		{town{"TL-BA", "Baucau", "Quelicai", -8.600, 126.560, 2000, []string{"Laisorulai", "Bualale"}}, 1},
		{town{"TL-ER", "Ermera", "Ermera", -8.752, 125.397, 2500, []string{"Poetete", "Humboe"}}, 3},
		{town{"TL-ER", "Ermera", "Railaco", -8.680, 125.430, 2000, []string{"Railaco Craic", "Samalete"}}, 1.5},
		{town{"TL-ER", "Ermera", "Letefoho", -8.835, 125.425, 2000, []string{"Ducurai", "Haupu"}}, 1.5},
		{town{"TL-BO", "Bobonaro", "Maliana", -8.990, 125.220, 2500, []string{"Lahomea", "Holsa", "Raifun"}}, 3},
		{town{"TL-BO", "Bobonaro", "Balibo", -8.970, 125.040, 1500, []string{"Balibo Vila", "Leohito"}}, 1},
		{town{"TL-CO", "Covalima", "Suai", -9.290, 125.255, 2500, []string{"Debos", "Camenaça"}}, 3},
		{town{"TL-CO", "Covalima", "Tilomar", -9.380, 125.100, 1500, []string{"Casabauc", "Lalawa"}}, 0.7},
		{town{"TL-LA", "Lautém", "Lospalos", -8.520, 126.995, 2500, []string{"Fuiloro", "Cacavei", "Home"}}, 3},
		{town{"TL-LA", "Lautém", "Tutuala", -8.400, 127.230, 1500, []string{"Tutuala", "Mehara"}}, 0.7},
		{town{"TL-LI", "Liquiçá", "Liquiçá", -8.610, 125.330, 1500, []string{"Dato", "Loidahar"}}, 3},
		{town{"TL-LI", "Liquiçá", "Bazartete", -8.630, 125.400, 2000, []string{"Ulmera", "Tibar"}}, 1.5},
		{town{"TL-VI", "Viqueque", "Viqueque", -8.860, 126.365, 2500, []string{"Caraubalo", "Uma Quic"}}, 2.5},
		{town{"TL-VI", "Viqueque", "Ossu", -8.740, 126.370, 2000, []string{"Ossu de Cima", "Builale"}}, 1},
		{town{"TL-MT", "Manatuto", "Manatuto", -8.530, 126.015, 1500, []string{"Aiteas", "Sau"}}, 2},
		{town{"TL-MT", "Manatuto", "Laclubar", -8.760, 125.910, 2000, []string{"Orlalan", "Fatumakerek"}}, 0.8},
		{town{"TL-MF", "Manufahi", "Same", -9.000, 125.650, 2000, []string{"Letefoho", "Babulo"}}, 2},
		{town{"TL-MF", "Manufahi", "Alas", -9.030, 125.790, 2000, []string{"Dotik", "Aituha"}}, 0.8},
		{town{"TL-AN", "Ainaro", "Ainaro", -8.995, 125.505, 1500, []string{"Ainaro", "Soro"}}, 2},
		{town{"TL-AN", "Ainaro", "Maubisse", -8.835, 125.600, 2000, []string{"Maubisse", "Horai-Quic"}}, 1.5},
		{town{"TL-AL", "Aileu", "Aileu", -8.725, 125.565, 2000, []string{"Seloi Malere", "Aissirimou"}}, 2.5},
		{town{"TL-OE", "Oé-Cusse Ambeno", "Pante Macassar", -9.225, 124.370, 2000, []string{"Costa", "Lifau"}}, 3},
		{town{"TL-OE", "Oé-Cusse Ambeno", "Oesilo", -9.320, 124.380, 2000, []string{"Bobometo", "Usitasae"}}, 0.7},
		{town{"TL-AT", "Ataúro", "Ataúro", -8.260, 125.590, 1000, []string{"Vila Maumeta", "Beloi"}}, 0.8},
	}
}

// country is an area: rings of longitude and latitude.
type country [][][2]float64

// newCountry is Timor-Leste drawn by hand a kilometre or two inside its coasts and borders: the main part, Oé-Cusse and
// Ataúro.
func newCountry() country {
	return country{
		{
			{124.99, -8.96}, {125.13, -8.75}, {125.22, -8.64}, {125.33, -8.60}, {125.45, -8.59}, {125.53, -8.555}, {125.61, -8.555},
			{125.70, -8.54}, {125.80, -8.535}, {126.00, -8.52}, {126.20, -8.53}, {126.35, -8.50}, {126.46, -8.45}, {126.60, -8.50},
			{126.75, -8.48}, {126.90, -8.40}, {127.05, -8.385}, {127.20, -8.38}, {127.27, -8.41}, {127.15, -8.50}, {127.00, -8.64},
			{126.83, -8.73}, {126.66, -8.79}, {126.45, -8.89}, {126.20, -8.94}, {126.05, -9.02}, {125.90, -9.10}, {125.72, -9.14},
			{125.50, -9.20}, {125.30, -9.30}, {125.08, -9.42}, {125.02, -9.42}, {125.05, -9.30}, {125.15, -9.22}, {125.15, -9.12},
			{125.08, -9.04},
		},
		{{124.12, -9.37}, {124.25, -9.26}, {124.37, -9.21}, {124.44, -9.20}, {124.44, -9.30}, {124.36, -9.42}, {124.25, -9.45}, {124.14, -9.42}},
		{{125.54, -8.27}, {125.57, -8.15}, {125.61, -8.14}, {125.61, -8.25}, {125.59, -8.28}},
	}
}

// OnLand reports whether a place lies within the country, a little inside its edges.
func OnLand(lat, lon float64) bool { return newCountry().has(lat, lon) }

func (c country) has(lat, lon float64) bool {
	for _, ring := range c {
		inside := false
		for i, j := 0, len(ring)-1; i < len(ring); j, i = i, i+1 {
			a, b := ring[i], ring[j]
			if (a[1] > lat) != (b[1] > lat) && lon < (b[0]-a[0])*(lat-a[1])/(b[1]-a[1])+a[0] {
				inside = !inside
			}
		}
		if inside {
			return true
		}
	}
	return false
}

// around is a random place near a town. Most are close to it.
func (t town) around(c country, r *rand.Rand) (float64, float64) {
	for range 20 {
		metres, angle := r.ExpFloat64()*t.spread, r.Float64()*2*math.Pi
		lat := t.lat + metres*math.Sin(angle)/111_195
		lon := t.lon + metres*math.Cos(angle)/(111_195*math.Cos(t.lat*math.Pi/180))
		if c.has(lat, lon) {
			return degrees(lat), degrees(lon)
		}
	}
	return t.lat, t.lon
}

// degrees rounds to a decimetre, as phones do.
func degrees(v float64) float64 { return math.Round(v*1e6) / 1e6 }
