package generate

import (
	"fmt"
	"math/rand/v2"
)

func issueTypes() []weighted[string] {
	return []weighted[string]{
		{"pothole", 24}, {"road_damage", 18}, {"drainage", 10}, {"flooding", 9}, {"waste", 9}, {"street_light", 8}, {"debris", 5},
		{"water_supply", 5}, {"bridge", 3}, {"sidewalk", 4}, {"traffic_sign", 3}, {"other", 2},
	}
}

func severities() []weighted[string] {
	return []weighted[string]{{"low", 25}, {"medium", 45}, {"high", 22}, {"critical", 8}}
}

// nouns name the problem in the three languages.
func nouns(issueType string) []string {
	switch issueType {
	case "pothole":
		return []string{"Deep pothole", "Kuak iha estrada", "Buraco na estrada", "Row of potholes"}
	case "road_damage":
		return []string{"Broken asphalt", "Estrada aat", "Estrada danificada", "Road washed away"}
	case "drainage":
		return []string{"Blocked drain", "Valeta metin", "Valeta entupida"}
	case "flooding":
		return []string{"Flooded street", "Bee sae", "Rua inundada"}
	case "waste":
		return []string{"Rubbish heap", "Lixu barak", "Lixo acumulado"}
	case "street_light":
		return []string{"Dark street light", "Ahi la lakan", "Iluminação avariada"}
	case "debris":
		return []string{"Fallen tree", "Ai-hun monu", "Árvore caída", "Rocks on the road"}
	case "water_supply":
		return []string{"Burst pipe", "Kanu bee nakfera", "Fuga de água"}
	case "bridge":
		return []string{"Damaged bridge", "Ponte aat", "Ponte danificada"}
	case "sidewalk":
		return []string{"Broken pavement", "Passeio aat", "Passeio partido"}
	case "traffic_sign":
		return []string{"Missing sign", "Sinál lakon", "Sinal em falta"}
	}
	return []string{"Something broken", "Buat ruma aat", "Outro problema"}
}

func streets() []string {
	return []string{"Avenida Nicolau Lobato", "Rua de Caicoli", "Estrada de Balide", "Avenida Almirante Américo Tomás", "Rua Jacinto Cândido",
		"Estrada de Becora", "Avenida de Portugal", "Rua Mártires da Pátria", "Travessa da Praia", "Estrada do Mercado", "Rua da Escola", "Avenida da Liberdade"}
}

func landmarks() []string {
	return []string{"the market", "the primary school", "igreja", "merkadu", "the health post", "uma suku", "the old bridge", "o cemitério",
		"the football field", "the bus stop", "eskola", "the petrol station", "hospital", "the river", "sede do suco"}
}

func remarks() []string {
	return []string{"Motorbikes fall here every week.", "Kareta labele liu.", "As crianças passam aqui para a escola.", "It gets worse after each rain.",
		"Udan boot fulan kotuk.", "Já avisámos duas vezes.", "Very dangerous at night.", "Ambulánsia labele tama.", "Nobody has come yet.",
		"Favor repara lalais.", "A água entra nas casas.", "Half of the lane is gone.", "Since the last holiday.", "Ema barak liu iha ne'e."}
}

func names() ([]string, []string) {
	return []string{"Maria", "João", "Ana", "José", "Domingas", "Agostinho", "Filomena", "Mateus", "Rosa", "Abílio", "Joana", "Celestino", "Teresa", "Lourenço"},
		[]string{"da Costa", "Soares", "Ximenes", "dos Santos", "Pereira", "Guterres", "Freitas", "Amaral", "Belo", "da Silva", "Sarmento", "Mendonça"}
}

func fullName(r *rand.Rand) string {
	given, family := names()
	return one(r, given) + " " + one(r, family)
}

func title(r *rand.Rand, issueType, suco string) string {
	return fmt.Sprintf("%s, %s", one(r, nouns(issueType)), suco)
}

func description(r *rand.Rand) string {
	text := fmt.Sprintf("%s, %d m from %s.", one(r, []string{"On the left side", "Iha estrada klaran", "Do lado direito", "At the bend", "In front of the house"}),
		10+r.IntN(400), one(r, landmarks()))
	for range r.IntN(4) {
		text += " " + one(r, remarks())
	}
	return text
}
