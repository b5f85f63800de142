// NEVER RUN in this repository: see settings.gradle.kts. Before the first build, from the root of the repository:
//
//     uniffi/generate kotlin bindings/kotlin/compass-core-bindings/target/generated
//     bindings/kotlin/android-build bindings/kotlin/compass-core-android/target/jni
//
// One library of all Kotlin sources of the package. The generated ones are part of it, so explicit API mode is off here; Maven has it on.
plugins {
    id("com.android.library") version "8.13.0"
    kotlin("android") version "2.2.20"
}

group = "dev.compass"
version = "0.1.0"

android {
    namespace = "dev.compass.core.android"
    compileSdk = 35
    defaultConfig {
        minSdk = 26
        consumerProguardFiles("consumer-rules.pro")
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }
    sourceSets["main"].apply {
        kotlin.srcDirs("src/main/kotlin", "../compass-core/src/main/kotlin", "../compass-core-bindings/target/generated")
        jniLibs.srcDirs("target/jni")
    }
    // Maven runs them, under Robolectric.
    sourceSets["test"].kotlin.setSrcDirs(emptyList<String>())
}

kotlin {
    compilerOptions {
        jvmTarget = org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_11
        languageVersion = org.jetbrains.kotlin.gradle.dsl.KotlinVersion.KOTLIN_2_1
        apiVersion = org.jetbrains.kotlin.gradle.dsl.KotlinVersion.KOTLIN_2_1
        freeCompilerArgs.addAll("-jvm-default=no-compatibility")
    }
}

dependencies {
    api("org.jetbrains.kotlinx:kotlinx-coroutines-core:1.10.2")
    implementation("net.java.dev.jna:jna:5.19.1@aar")
}
